package org.pregrad.internal.isolation;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.pregrad.InputException;
import org.pregrad.internal.Native;

/**
 * The values of one input, which go behind a message as raw bytes.
 *
 * @param source that of the child, where they stand in a direct buffer
 * @param data the array or buffer of the caller; null for no input
 * @param offset of the first value in it
 * @param count of the values
 */
record Part(int source, Object data, int offset, int count) {
    /** Of the bytes that are copied at once. */
    static final int CHUNK = 1 << 16;

    /** More than a Java buffer holds does not go through at once. */
    private static final long MOST_BYTES = Integer.MAX_VALUE - (1L << 16);

    /** The values of an input as {@link org.pregrad.internal.Calls} describe it. */
    static Part of(int source, Object data, long offset, long[] shape) {
        if (source == Native.TENSOR) {
            throw new InputException(
                    "a tensor of JavaCPP lives in this process, and the isolated model in another: give"
                            + " an array or a buffer");
        }
        if (source == Native.NO_INPUT) {
            return new Part(source, null, 0, 0);
        }
        long count = 1;
        for (long axis : shape) {
            count *= axis;
        }
        Part part = new Part(sent(source), data, (int) offset, (int) Math.min(count, Integer.MAX_VALUE));
        if (count * part.size() > MOST_BYTES) {
            throw new InputException("the input has " + count * part.size() + " bytes, and an isolated model takes "
                    + MOST_BYTES + " at a time: give a smaller batch");
        }
        return part;
    }

    long bytes() {
        return (long) count * size();
    }

    /** Writes the values, `chunk` after `chunk`. */
    void write(OutputStream to, byte[] chunk) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(chunk).order(ByteOrder.nativeOrder());
        int most = chunk.length / Math.max(1, size());
        for (int done = 0; done < count; ) {
            int now = Math.min(most, count - done);
            copy(offset + done, now, bytes);
            to.write(chunk, 0, now * size());
            done += now;
        }
    }

    /** The values in the child, as they stand in its memory. */
    Object view(ByteBuffer memory) {
        ByteBuffer bytes = memory.order(ByteOrder.nativeOrder());
        switch (source) {
            case Native.FLOAT_BUFFER:
                return bytes.asFloatBuffer();
            case Native.DOUBLE_BUFFER:
                return bytes.asDoubleBuffer();
            case Native.LONG_BUFFER:
                return bytes.asLongBuffer();
            case Native.BOOLEAN_ARRAY:
                boolean[] values = new boolean[count];
                for (int i = 0; i < count; i++) {
                    values[i] = bytes.get(i) != 0;
                }
                return values;
            default:
                return null;
        }
    }

    private void copy(int from, int now, ByteBuffer to) {
        switch (source) {
            case Native.FLOAT_BUFFER:
                to.asFloatBuffer()
                        .put(0, data instanceof float[] a ? FloatBuffer.wrap(a) : (FloatBuffer) data, from, now);
                break;
            case Native.DOUBLE_BUFFER:
                to.asDoubleBuffer()
                        .put(0, data instanceof double[] a ? DoubleBuffer.wrap(a) : (DoubleBuffer) data, from, now);
                break;
            case Native.LONG_BUFFER:
                to.asLongBuffer().put(0, data instanceof long[] a ? LongBuffer.wrap(a) : (LongBuffer) data, from, now);
                break;
            default:
                for (int i = 0; i < now; i++) {
                    to.put(i, (byte) (((boolean[]) data)[from + i] ? 1 : 0));
                }
        }
    }

    private int size() {
        switch (source) {
            case Native.FLOAT_BUFFER:
                return Float.BYTES;
            case Native.BOOLEAN_ARRAY:
                return 1;
            case Native.NO_INPUT:
                return 0;
            default:
                return Long.BYTES;
        }
    }

    private static int sent(int source) {
        switch (source) {
            case Native.FLOAT_ARRAY:
                return Native.FLOAT_BUFFER;
            case Native.DOUBLE_ARRAY:
                return Native.DOUBLE_BUFFER;
            case Native.LONG_ARRAY:
                return Native.LONG_BUFFER;
            default:
                return source;
        }
    }
}
