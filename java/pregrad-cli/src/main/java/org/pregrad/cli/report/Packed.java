package org.pregrad.cli.report;

import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;

/**
 * Numbers of a page in few characters: a letter that says how they are stored, a scale, a bar, and their bytes in Base64,
 * the lowest first.
 *
 * <ul>
 *   <li>{@code f}: floats of 32 bits, seven digits;
 *   <li>{@code h}: floats of 16 bits, of a number divided by the scale, three digits over nine decades below the largest;
 *   <li>{@code s}, {@code i}: whole numbers of 16 and of 32 bits.
 * </ul>
 *
 * @param text all of it
 */
record Packed(@JsonValue String text) {
    /** The largest power of two that a float of 16 bits holds, and the smallest with all of its digits. */
    private static final int LARGEST_EXPONENT = 15;

    private static final int SMALLEST_EXPONENT = -14;
    private static final int MANTISSA = 10;
    private static final int NOT_A_NUMBER = 0x7e00;
    private static final int INFINITE = 0x7c00;
    private static final int NEGATIVE = 0x8000;
    private static final int SIXTEEN_BITS = 0xffff;

    /** @param bytes 4, or 2 for three digits only */
    static Packed of(float[] values, int bytes) {
        ByteBuffer to = ByteBuffer.allocate(values.length * bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes == Float.BYTES) {
            to.asFloatBuffer().put(values);
            return of("f", to);
        }
        double scale = scale(values);
        for (float value : values) {
            to.putShort((short) half(value / scale));
        }
        return of("h" + scale, to);
    }

    /** None may be negative. */
    static Packed of(int[] values) {
        boolean isShort = true;
        for (int value : values) {
            isShort &= value <= SIXTEEN_BITS;
        }
        ByteBuffer to = ByteBuffer.allocate(values.length * (isShort ? Short.BYTES : Integer.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            if (isShort) {
                to.putShort((short) value);
            } else {
                to.putInt(value);
            }
        }
        return of(isShort ? "s" : "i", to);
    }

    private static Packed of(String kind, ByteBuffer bytes) {
        return new Packed(kind + "|" + Base64.getEncoder().encodeToString(bytes.array()));
    }

    /** A power of two by which the largest finite value has the largest exponent. */
    private static double scale(float[] values) {
        float largest = 0;
        for (float value : values) {
            if (Float.isFinite(value)) {
                largest = Math.max(largest, Math.abs(value));
            }
        }
        return largest == 0 ? 1 : Math.scalb(1.0, Math.getExponent(largest) - LARGEST_EXPONENT + 1);
    }

    /** The nearest float of 16 bits. */
    private static int half(double value) {
        if (Double.isNaN(value)) {
            return NOT_A_NUMBER;
        }
        int sign = value < 0 ? NEGATIVE : 0;
        double size = Math.abs(value);
        if (Double.isInfinite(size)) {
            return sign | INFINITE;
        }
        int exponent = Math.max(Math.getExponent(size), SMALLEST_EXPONENT);
        // What rounds up to the next power of two carries into the exponent, where it belongs.
        int steps = (int) Math.rint(Math.scalb(size, MANTISSA - exponent));
        return sign | (steps + ((exponent - SMALLEST_EXPONENT) << MANTISSA));
    }
}
