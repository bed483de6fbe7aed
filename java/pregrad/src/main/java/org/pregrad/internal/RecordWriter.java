package org.pregrad.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.pregrad.ArgumentException;

/** Packs what native code reads from bytes: 64-bit numbers, and text and lists with their length before them. */
public final class RecordWriter {
    /** Some virtual machines hold no longer array. */
    private static final int MOST = Integer.MAX_VALUE - 8;

    private ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());

    public void add(long value) {
        grow(Long.BYTES);
        bytes.putLong(value);
    }

    public void add(String text) {
        add(Text.utf8(text));
    }

    public void add(byte[] values) {
        add(values.length);
        grow(values.length);
        bytes.put(values);
    }

    public void add(long[] values) {
        add(values.length);
        grow((long) values.length * Long.BYTES);
        bytes.asLongBuffer().put(values);
        bytes.position(bytes.position() + values.length * Long.BYTES);
    }

    public void add(float[] values) {
        add(values.length);
        grow((long) values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        bytes.position(bytes.position() + values.length * Float.BYTES);
    }

    public void add(int[] values) {
        add(values.length);
        grow((long) values.length * Long.BYTES);
        for (int value : values) {
            bytes.putLong(value);
        }
    }

    public void add(double[] values) {
        add(values.length);
        grow((long) values.length * Double.BYTES);
        for (double value : values) {
            bytes.putDouble(value);
        }
    }

    public byte[] bytes() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private void grow(long more) {
        long needed = bytes.position() + more;
        if (needed > MOST) {
            throw new ArgumentException("the options have " + needed
                    + " bytes, more than a Java array holds: use fewer layers or clusters at once");
        }
        if (needed > bytes.capacity()) {
            int capacity = (int) Math.min(MOST, Math.max(needed, 2L * bytes.capacity()));
            bytes = ByteBuffer.wrap(Arrays.copyOf(bytes.array(), capacity))
                    .order(ByteOrder.nativeOrder())
                    .position(bytes.position());
        }
    }
}
