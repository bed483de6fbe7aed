package org.pregrad;

import java.util.stream.IntStream;

/** The scores of one layer call, cluster and method: one value per neuron and {@link Aggregate}. A plain value. */
public final class Score {
    private final String layer;
    private final long call;
    private final long cluster;
    private final Method method;
    private final long count;
    private final double[][] values;

    Score(String layer, long call, long cluster, Method method, long count, double[][] values) {
        this.layer = layer;
        this.call = call;
        this.cluster = cluster;
        this.method = method;
        this.count = count;
        this.values = values;
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

    /** {@return how many samples the cluster has} */
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

    /**
     * {@return the aggregate per neuron; a copy}
     *
     * @param aggregate which one
     */
    public double[] of(Aggregate aggregate) {
        return values[aggregate.ordinal()].clone();
    }

    /**
     * {@return the neurons in order of falling score, ties by index}
     *
     * @param aggregate the aggregate that counts as the score
     */
    public int[] ranking(Aggregate aggregate) {
        double[] score = values[aggregate.ordinal()];
        // Adding 0.0 makes -0.0 a tie with 0.0; the sort of boxed values is stable, so ties keep the index's order.
        return IntStream.range(0, score.length)
                .boxed()
                .sorted((a, b) -> Double.compare(score[b] + 0.0, score[a] + 0.0))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** {@return e.g. {@code relu@1, cluster 3, gradient: 16 neurons, 178 samples}} */
    @Override
    public String toString() {
        return layer + "@" + call + ", cluster " + cluster + ", " + method.id() + ": " + neurons() + " neurons, "
                + count + " samples";
    }
}
