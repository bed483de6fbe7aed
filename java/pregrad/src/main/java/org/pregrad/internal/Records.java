package org.pregrad.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Reads what native code packed into bytes: 64-bit numbers, and text and lists with their length before them. */
public final class Records {
    private final ByteBuffer bytes;

    public Records(byte[] packed) {
        bytes = ByteBuffer.wrap(packed).order(ByteOrder.nativeOrder());
    }

    public long integer() {
        return bytes.getLong();
    }

    public double real() {
        return bytes.getDouble();
    }

    public String text() {
        return Text.of(bytes());
    }

    public byte[] bytes() {
        byte[] values = new byte[Math.toIntExact(bytes.getLong())];
        bytes.get(values);
        return values;
    }

    public long[] longs() {
        long[] values = new long[Math.toIntExact(bytes.getLong())];
        bytes.asLongBuffer().get(values);
        bytes.position(bytes.position() + values.length * Long.BYTES);
        return values;
    }

    public float[] floats() {
        float[] values = new float[Math.toIntExact(bytes.getLong())];
        bytes.asFloatBuffer().get(values);
        bytes.position(bytes.position() + values.length * Float.BYTES);
        return values;
    }

    public List<Long> integers() {
        List<Long> values = new ArrayList<>();
        for (long left = bytes.getLong(); left > 0; left--) {
            values.add(bytes.getLong());
        }
        return List.copyOf(values);
    }

    /** A list of numbers that count something in memory. */
    public int[] counts() {
        int[] values = new int[Math.toIntExact(bytes.getLong())];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.toIntExact(bytes.getLong());
        }
        return values;
    }

    public double[] reals() {
        double[] values = new double[Math.toIntExact(bytes.getLong())];
        bytes.asDoubleBuffer().get(values);
        bytes.position(bytes.position() + values.length * Double.BYTES);
        return values;
    }
}
