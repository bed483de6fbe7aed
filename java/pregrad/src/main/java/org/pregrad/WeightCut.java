package org.pregrad;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What goes from a weight: indices of one axis. A plain value: the array is copied in and out.
 *
 * @param weight its name in the state dict
 * @param axis the axis, from 0
 * @param indices in rising order
 * @param shape of the weight before anything is cut
 * @param prunedShape of the weight once all of the plan is cut
 */
public record WeightCut(String weight, int axis, int[] indices, List<Long> shape, List<Long> prunedShape) {
    /** Copies the array and the lists. */
    public WeightCut {
        Objects.requireNonNull(weight, "weight");
        indices = indices.clone();
        shape = List.copyOf(shape);
        prunedShape = List.copyOf(prunedShape);
    }

    /** {@return the indices in rising order; a copy} */
    @Override
    public int[] indices() {
        return indices.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof WeightCut that
                && weight.equals(that.weight)
                && axis == that.axis
                && Arrays.equals(indices, that.indices)
                && shape.equals(that.shape)
                && prunedShape.equals(that.prunedShape);
    }

    @Override
    public int hashCode() {
        return Objects.hash(weight, axis, Arrays.hashCode(indices), shape, prunedShape);
    }

    /** {@return e.g. {@code fc1.weight: [128, 64] to [64, 64]}} */
    @Override
    public String toString() {
        return weight + ": " + shape + " to " + prunedShape;
    }
}
