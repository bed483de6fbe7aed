package org.pregrad;

import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * One constant per neuron of a layer call. A plain value: the array is copied in and out.
 *
 * @param layer canonical name of the layer, as {@link Layer#name()} gives it
 * @param call the call, from 0
 * @param cluster for samples of this cluster only; empty for all
 * @param values one per neuron, in the unit of the activation
 */
public record NeuronConstants(String layer, long call, OptionalLong cluster, double[] values) {
    /** Copies the array. */
    public NeuronConstants {
        Objects.requireNonNull(layer, "layer");
        Objects.requireNonNull(cluster, "cluster");
        values = values.clone();
    }

    /** {@return one constant per neuron; a copy} */
    @Override
    public double[] values() {
        return values.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NeuronConstants that
                && layer.equals(that.layer)
                && call == that.call
                && cluster.equals(that.cluster)
                && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layer, call, cluster, Arrays.hashCode(values));
    }

    /** {@return e.g. {@code relu@1, cluster 3: 16 neurons}} */
    @Override
    public String toString() {
        String samples = cluster.isPresent() ? "cluster " + cluster.getAsLong() : "all clusters";
        return layer + "@" + call + ", " + samples + ": " + values.length + " neurons";
    }
}
