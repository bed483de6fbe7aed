package org.pregrad.data;

import java.util.List;

/**
 * What the front of a .npy file says.
 *
 * @param type    type of the elements
 * @param fortran whether the first axis varies fastest
 * @param shape   sizes of the axes
 */
record NpyHeader(NpyType type, boolean fortran, List<Long> shape) {
    /** Number of elements. */
    long elements() {
        return ArrayReader.product(shape, 0);
    }

    /** Elements of one sample: the product of all axes but the first. */
    long elementsPerSample() {
        return ArrayReader.product(shape, 1);
    }

    /** The shape in words, e.g. {@code 1797x64}. */
    String shapeInWords() {
        return ArrayReader.inWords(shape);
    }
}
