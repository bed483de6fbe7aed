package org.pregrad;

import java.util.Arrays;
import java.util.Comparator;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * The scores of one layer call, cluster and method, and of one position where each has its own: one value per neuron and
 * {@link Aggregate}. A plain value.
 */
public final class Score {
    /** How many aggregates native code hands over; the cancellation follows from the first two. */
    static final int STORED = Aggregate.CANCELLATION.ordinal();

    private final String layer;
    private final long call;
    private final long cluster;
    private final Method method;
    private final long count;
    private final double[][] values;
    private final double completenessError;
    private final OptionalLong position;

    /** Of all positions together. */
    Score(
            String layer,
            long call,
            long cluster,
            Method method,
            long count,
            double[][] values,
            double completenessError) {
        this(layer, call, cluster, method, count, values, completenessError, OptionalLong.empty());
    }

    Score(
            String layer,
            long call,
            long cluster,
            Method method,
            long count,
            double[][] values,
            double completenessError,
            OptionalLong position) {
        this.layer = layer;
        this.call = call;
        this.cluster = cluster;
        this.method = method;
        this.count = count;
        this.values = values;
        this.completenessError = completenessError;
        this.position = position;
    }

    /** {@return the canonical name of the layer, as {@link Layer#name()} gives it} */
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

    /** {@return the method} */
    public Method method() {
        return method;
    }

    /**
     * {@return the position, from 0, row-major over the axes of positions; empty for all positions together} Always empty
     * unless {@link Positions#EACH} was asked for.
     */
    public OptionalLong position() {
        return position;
    }

    /** {@return how many samples the cluster has; at a position, for how many of them it counts} */
    public long count() {
        return count;
    }

    /** {@return how many neurons the layer has} */
    public int neurons() {
        return values[0].length;
    }

    /** {@return {@link Aggregate#MEAN} per neuron; a copy} */
    public double[] mean() {
        return of(Aggregate.MEAN);
    }

    /** {@return {@link Aggregate#MEAN_ABS} per neuron; a copy} */
    public double[] meanAbs() {
        return of(Aggregate.MEAN_ABS);
    }

    /** {@return {@link Aggregate#RMS} per neuron; a copy} */
    public double[] rms() {
        return of(Aggregate.RMS);
    }

    /** {@return {@link Aggregate#STD} per neuron; a copy} */
    public double[] std() {
        return of(Aggregate.STD);
    }

    /** {@return {@link Aggregate#CANCELLATION} per neuron} */
    public double[] cancellation() {
        return of(Aggregate.CANCELLATION);
    }

    /**
     * {@return the aggregate per neuron; a copy}
     *
     * @param aggregate which one
     */
    public double[] of(Aggregate aggregate) {
        if (aggregate != Aggregate.CANCELLATION) {
            return values[aggregate.ordinal()].clone();
        }
        double[] mean = values[Aggregate.MEAN.ordinal()];
        double[] meanAbs = values[Aggregate.MEAN_ABS.ordinal()];
        return IntStream.range(0, mean.length)
                .mapToDouble(neuron ->
                        meanAbs[neuron] > 0 ? Math.min(1, Math.abs(mean[neuron]) / meanAbs[neuron]) : Double.NaN)
                .toArray();
    }

    /**
     * {@return the standard error of an aggregate per neuron, the samples taken as drawn independently: of
     * {@link Aggregate#MEAN} s / √n with s² = n·std² / (n − 1), of {@link Aggregate#MEAN_ABS} likewise from rms² −
     * mean_abs²; NaN for other aggregates and below two samples}
     *
     * @param aggregate which one
     */
    public double[] standardError(Aggregate aggregate) {
        double[] errors = new double[neurons()];
        if (count < 2 || (aggregate != Aggregate.MEAN && aggregate != Aggregate.MEAN_ABS)) {
            Arrays.fill(errors, Double.NaN);
            return errors;
        }
        double root = Math.sqrt(count - 1.0);
        for (int neuron = 0; neuron < errors.length; neuron++) {
            double mean = values[Aggregate.MEAN.ordinal()][neuron];
            double meanAbs = values[Aggregate.MEAN_ABS.ordinal()][neuron];
            double rms = values[Aggregate.RMS.ordinal()][neuron];
            // Where all samples have one sign their magnitudes spread as they do.
            double spread = aggregate == Aggregate.MEAN || meanAbs == Math.abs(mean)
                    ? values[Aggregate.STD.ordinal()][neuron]
                    : Math.sqrt(Math.max(0, (rms - meanAbs) * (rms + meanAbs)));
            errors[neuron] = spread / root;
        }
        return errors;
    }

    /**
     * {@return Σᵢ|Σⱼvᵢⱼ − Δyᵢ| / Σᵢ|Δyᵢ| over the cluster's samples i and the neurons j, Δy the difference of the output
     * between both ends of the path: how far {@link Method#INTEGRATED_GRADIENTS} and {@link Method#CONDUCTANCE} are from
     * accounting for the whole output; NaN for other methods, for the score of one position, or where no output differs}
     */
    public double completenessError() {
        return completenessError;
    }

    /**
     * {@return the neurons in order of falling score, ties by index, NaN last}
     *
     * @param aggregate the aggregate that counts as the score
     */
    public int[] ranking(Aggregate aggregate) {
        double[] score = of(aggregate);
        // Subtracting from 0.0 makes -0.0 a tie with 0.0 and rising order the falling one, with NaN still last; the
        // sort
        // of boxed values is stable, so ties keep the index's order.
        return IntStream.range(0, score.length)
                .boxed()
                .sorted(Comparator.comparingDouble(neuron -> 0.0 - score[neuron]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** {@return e.g. {@code relu@1, cluster 3, gradient: 16 neurons, 178 samples}} */
    @Override
    public String toString() {
        String at = position.isPresent() ? ", position " + position.getAsLong() : "";
        return layer + "@" + call + ", cluster " + cluster + ", " + method.id() + at + ": " + neurons() + " neurons, "
                + count + " samples";
    }
}
