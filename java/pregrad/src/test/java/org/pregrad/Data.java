package org.pregrad;

import java.util.Arrays;

/** Samples with labels and clusters. */
record Data(Object x, long[] shape, long[] y, long[] cluster) {
    int size() {
        return y.length;
    }

    Input input() {
        if (x instanceof float[] floats) {
            return Input.of(floats, shape);
        }
        return x instanceof double[] doubles ? Input.of(doubles, shape) : Input.of((long[]) x, shape);
    }

    /** Samples from `begin` to before `end`. */
    Data part(int begin, int end) {
        int width = 1;
        for (int axis = 1; axis < shape.length; axis++) {
            width *= (int) shape[axis];
        }
        long[] part = shape.clone();
        part[0] = (long) end - begin;
        Object values;
        if (x instanceof float[] floats) {
            values = Arrays.copyOfRange(floats, begin * width, end * width);
        } else if (x instanceof double[] doubles) {
            values = Arrays.copyOfRange(doubles, begin * width, end * width);
        } else {
            values = Arrays.copyOfRange((long[]) x, begin * width, end * width);
        }
        return new Data(values, part, Arrays.copyOfRange(y, begin, end), Arrays.copyOfRange(cluster, begin, end));
    }

    float[] floats() {
        return (float[]) x;
    }
}
