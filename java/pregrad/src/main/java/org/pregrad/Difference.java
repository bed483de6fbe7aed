package org.pregrad;

import java.util.OptionalLong;

/**
 * How far the scores of one cluster are from those of another, for one layer call and method, and for one position where
 * each has its own; one value per neuron. The samples of both are taken as drawn independently. A plain value.
 *
 * <p>For {@link Method#RANDOM}, whose numbers are drawn and not measured, and below two samples on a side all but the
 * difference is NaN. Where no sample of either side differs from the others the error is 0: p is 1 for equal scores and 0
 * for others.
 */
public final class Difference {
    /** How many arrays native code hands over. */
    static final int VALUES = 7;

    private final String layer;
    private final long call;
    private final long cluster;
    private final long against;
    private final Method method;
    private final Aggregate aggregate;
    private final OptionalLong position;
    private final double[][] values;

    Difference(
            String layer,
            long call,
            long cluster,
            long against,
            Method method,
            Aggregate aggregate,
            OptionalLong position,
            double[][] values) {
        this.layer = layer;
        this.call = call;
        this.cluster = cluster;
        this.against = against;
        this.method = method;
        this.aggregate = aggregate;
        this.position = position;
        this.values = values;
    }

    /** {@return the canonical name of the layer} */
    public String layer() {
        return layer;
    }

    /** {@return the call, from 0} */
    public long call() {
        return call;
    }

    /** {@return the cluster} */
    public long cluster() {
        return cluster;
    }

    /** {@return the cluster that it is compared with} */
    public long against() {
        return against;
    }

    /** {@return the method} */
    public Method method() {
        return method;
    }

    /** {@return how samples are summed up} */
    public Aggregate aggregate() {
        return aggregate;
    }

    /** {@return as {@link Score#position()}} */
    public OptionalLong position() {
        return position;
    }

    /** {@return this cluster's aggregate minus the other's, per neuron; a copy} */
    public double[] difference() {
        return values[0].clone();
    }

    /** {@return √(sₐ² + s_b²) per neuron, s the standard errors of both; a copy} */
    public double[] standardError() {
        return values[1].clone();
    }

    /** {@return the degrees of freedom of Welch and Satterthwaite (Biometrika 34, 1947) per neuron; a copy} */
    public double[] degrees() {
        return values[2].clone();
    }

    /** {@return where the confidence interval by Student's t begins, per neuron; a copy} */
    public double[] low() {
        return values[3].clone();
    }

    /** {@return where it ends, per neuron; a copy} */
    public double[] high() {
        return values[4].clone();
    }

    /** {@return p of Welch's test that there is no difference, two-sided, per neuron; a copy} */
    public double[] p() {
        return values[5].clone();
    }

    /**
     * {@return the false discovery rate at which the neuron would just be called different, by Benjamini and Hochberg (J. R.
     * Stat. Soc. B 57, 1995), per neuron; a copy} The family is all neurons of this layer call, method and pair of clusters,
     * at all positions where these have scores of their own.
     */
    public double[] q() {
        return values[6].clone();
    }

    /** {@return e.g. {@code relu@1, cluster 3 against 0, gradient mean: 16 neurons}} */
    @Override
    public String toString() {
        return layer + "@" + call + ", cluster " + cluster + " against " + against + ", " + method.id() + " "
                + aggregate.id() + ": " + values[0].length + " neurons";
    }
}
