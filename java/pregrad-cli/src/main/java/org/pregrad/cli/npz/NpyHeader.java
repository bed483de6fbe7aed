package org.pregrad.cli.npz;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What the front of a .npy file says.
 *
 * @param type    type of the elements
 * @param fortran whether the first axis varies fastest
 * @param shape   sizes of the axes
 */
public record NpyHeader(NpyType type, boolean fortran, List<Long> shape) {
    /** Number of elements. */
    public long elements() {
        return product(shape, 0);
    }

    /** Elements of one sample: the product of all axes but the first. */
    public long elementsPerSample() {
        return product(shape, 1);
    }

    /** The shape in words, e.g. {@code 1797x64}. */
    public String shapeInWords() {
        return shape.isEmpty() ? "scalar" : shape.stream().map(String::valueOf).collect(Collectors.joining("x"));
    }

    private static long product(List<Long> shape, int from) {
        long product = 1;
        for (int axis = from; axis < shape.size(); axis++) {
            product = Math.multiplyExact(product, shape.get(axis));
        }
        return product;
    }
}
