package org.pregrad;

import java.util.Arrays;
import java.util.Objects;

/**
 * Neurons of a layer call that are to go. A plain value: the array is copied in and out.
 *
 * @param layer canonical name of the layer, as {@link Layer#name()} gives it
 * @param call the call, from 0
 * @param neurons each once
 * @param of how many the layer has; 0 where that is yet to be found out
 */
public record PrunedNeurons(String layer, long call, int[] neurons, int of) {
    /** Copies the array. */
    public PrunedNeurons {
        Objects.requireNonNull(layer, "layer");
        neurons = neurons.clone();
    }

    /** Of a layer whose size is yet to be found out. */
    public PrunedNeurons(String layer, long call, int... neurons) {
        this(layer, call, neurons, 0);
    }

    /** {@return the neurons in rising order, or as they were given; a copy} */
    @Override
    public int[] neurons() {
        return neurons.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PrunedNeurons that
                && layer.equals(that.layer)
                && call == that.call
                && of == that.of
                && Arrays.equals(neurons, that.neurons);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layer, call, of, Arrays.hashCode(neurons));
    }

    /** {@return e.g. {@code relu@1: 8 of 16 neurons}} */
    @Override
    public String toString() {
        return layer + "@" + call + ": " + neurons.length + " of " + of + " neurons";
    }
}
