package org.pregrad;

import java.util.Objects;
import java.util.stream.IntStream;

/** What a model gives for a batch: [N, outputs], row by row. A plain value. */
public final class Outputs {
    private final long[] shape;
    private final Object values;

    Outputs(long[] shape, Object values) {
        this.shape = shape;
        this.values = Objects.requireNonNull(values);
    }

    /** {@return the shape, batch axis first; a copy} */
    public long[] shape() {
        return shape.clone();
    }

    /** {@return the values, last axis fastest; values of a model in double precision are rounded; a copy} */
    public float[] floats() {
        if (values instanceof float[]) {
            return ((float[]) values).clone();
        }
        double[] from = (double[]) values;
        float[] to = new float[from.length];
        for (int i = 0; i < from.length; i++) {
            to[i] = (float) from[i];
        }
        return to;
    }

    /** {@return the values, last axis fastest, in full precision; a copy} */
    public double[] doubles() {
        if (values instanceof double[]) {
            return ((double[]) values).clone();
        }
        float[] from = (float[]) values;
        return IntStream.range(0, from.length).mapToDouble(i -> from[i]).toArray();
    }
}
