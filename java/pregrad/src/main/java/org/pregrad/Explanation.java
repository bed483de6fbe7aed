package org.pregrad;

import java.util.Arrays;

/**
 * The values of a batch's samples for one layer call and method, not summed up over samples. A plain value.
 *
 * <p>With {@link Positions#EACH} a layer that has positions has a value for each of them, of those methods that have one
 * there; else positions are taken together, as in {@link Score}.
 */
public final class Explanation {
    private final String layer;
    private final long call;
    private final Method method;
    private final int samples;
    private final int neurons;
    private final int positions;
    private final double[] values;

    Explanation(String layer, long call, Method method, int samples, int neurons, int positions, double[] values) {
        this.layer = layer;
        this.call = call;
        this.method = method;
        this.samples = samples;
        this.neurons = neurons;
        this.positions = positions;
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

    /** {@return the method} */
    public Method method() {
        return method;
    }

    /** {@return how many samples the batch has} */
    public int samples() {
        return samples;
    }

    /** {@return how many neurons the layer has} */
    public int neurons() {
        return neurons;
    }

    /** {@return how many positions have values of their own; 0 where they are taken together} */
    public int positions() {
        return positions;
    }

    /**
     * {@return all values, [samples, neurons] or, where positions have values of their own, [samples, positions, neurons],
     * last axis fastest, NaN at positions that do not count; a copy}
     */
    public double[] values() {
        return values.clone();
    }

    /**
     * {@return the values of one sample, [neurons] or [positions, neurons]; a copy}
     *
     * @param sample from 0
     * @throws IndexOutOfBoundsException if the batch has no such sample
     */
    public double[] of(int sample) {
        int size = Math.max(1, positions) * neurons;
        int begin = checked(sample, samples, "sample") * size;
        return Arrays.copyOfRange(values, begin, begin + size);
    }

    /**
     * {@return the value of a neuron for a sample, of all positions together}
     *
     * @param sample from 0
     * @param neuron from 0
     * @throws IndexOutOfBoundsException if there is no such sample or neuron
     * @throws IllegalStateException if each position has a value of its own
     */
    public double value(int sample, int neuron) {
        if (positions > 0) {
            throw new IllegalStateException(
                    this + ": its values are those of positions: name one, from 0 to " + (positions - 1));
        }
        return values[checked(sample, samples, "sample") * neurons + checked(neuron, neurons, "neuron")];
    }

    /**
     * {@return the value of a neuron at a position for a sample; NaN where the position does not count}
     *
     * @param sample from 0
     * @param position from 0, row-major over the axes of positions
     * @param neuron from 0
     * @throws IndexOutOfBoundsException if there is no such sample, position or neuron
     */
    public double value(int sample, int position, int neuron) {
        int row = checked(sample, samples, "sample") * positions + checked(position, positions, "position");
        return values[row * neurons + checked(neuron, neurons, "neuron")];
    }

    private static int checked(int index, int size, String what) {
        if (index < 0 || index >= size) {
            throw new IndexOutOfBoundsException(
                    "there is no " + what + " " + index + ": there are " + size + ", counted from 0");
        }
        return index;
    }

    /** {@return e.g. {@code relu@1, gradient: 4 samples, 16 neurons}} */
    @Override
    public String toString() {
        String each = positions > 0 ? ", " + positions + " positions" : "";
        return layer + "@" + call + ", " + method.id() + ": " + samples + " samples" + each + ", " + neurons
                + " neurons";
    }
}
