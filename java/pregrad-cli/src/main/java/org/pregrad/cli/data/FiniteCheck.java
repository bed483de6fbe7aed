package org.pregrad.cli.data;

import java.nio.Buffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/** Finds NaN and infinite values. */
final class FiniteCheck {
    private FiniteCheck() {}

    /** Index of the first NaN or infinite value, or -1; integers are always finite. */
    static int firstNotFinite(Buffer values) {
        if (values instanceof FloatBuffer floats) {
            for (int i = floats.position(); i < floats.limit(); i++) {
                if (!Float.isFinite(floats.get(i))) {
                    return i;
                }
            }
        } else if (values instanceof DoubleBuffer doubles) {
            for (int i = doubles.position(); i < doubles.limit(); i++) {
                if (!Double.isFinite(doubles.get(i))) {
                    return i;
                }
            }
        }
        return -1;
    }
}
