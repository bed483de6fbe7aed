package org.pregrad;

import java.lang.ref.Reference;
import java.nio.Buffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.pregrad.internal.Native;
import org.pregrad.internal.Tensors;

/**
 * What a model is given: N samples, [N, ...], last axis fastest.
 *
 * <p>Nothing is copied when an input is made: it shows the array, buffer or tensor that it was made of, which must not be
 * changed while it is in use. Direct buffers and tensors are used in place; arrays and heap buffers are copied once, into
 * LibTorch's memory. An input may be used many times and by many threads.
 */
public final class Input {
    private final int source;
    private final Object data;
    private final long offset;
    private final long[] shape;

    private Input(int source, Object data, long offset, long available, long[] shape) {
        this.source = source;
        this.data = data;
        this.offset = offset;
        this.shape = shape.clone();
        long size = size(this.shape);
        if (size != available) {
            throw new InputException("shape " + Arrays.toString(shape) + " needs " + size + " values, but there are "
                    + available + ": give the shape of all samples, batch axis first");
        }
    }

    private Input(Tensor tensor) {
        this.source = Native.TENSOR;
        this.data = tensor;
        this.offset = 0;
        this.shape = new long[0];
    }

    /**
     * {@return an input of 32-bit floats}
     *
     * @param values all values, last axis fastest
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values
     */
    public static Input of(float[] values, long... shape) {
        return new Input(Native.FLOAT_ARRAY, values, 0, values.length, shape);
    }

    /**
     * {@return an input of 64-bit floats, for models in double precision}
     *
     * @param values all values, last axis fastest
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values
     */
    public static Input of(double[] values, long... shape) {
        return new Input(Native.DOUBLE_ARRAY, values, 0, values.length, shape);
    }

    /**
     * {@return an input of 64-bit integers, for models that take tokens}
     *
     * @param values all values, last axis fastest
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values
     */
    public static Input of(long[] values, long... shape) {
        return new Input(Native.LONG_ARRAY, values, 0, values.length, shape);
    }

    /**
     * {@return an input of truth values, for masks}
     *
     * @param values all values, last axis fastest
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values
     */
    public static Input of(boolean[] values, long... shape) {
        return new Input(Native.BOOLEAN_ARRAY, values, 0, values.length, shape);
    }

    /**
     * {@return an input of 64-bit integers, for models that take tokens; copies the values}
     *
     * @param values all values, last axis fastest
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values
     */
    public static Input of(int[] values, long... shape) {
        return of(widened(values), shape);
    }

    /** The values as 64-bit integers; null for null. */
    static long[] widened(int[] values) {
        if (values == null) {
            return null;
        }
        // No stream, as in Attribution: it is slow until the JVM compiles it.
        long[] wide = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /** One integer per sample, [N]; null for null. */
    static Input perSample(long[] values) {
        return values == null ? null : of(values, values.length);
    }

    /**
     * {@return an input of 32-bit floats, [N, features]; copies the rows}
     *
     * @param rows one row per sample, all of the same length
     * @throws InputException if the rows differ in length
     */
    public static Input of(float[][] rows) {
        int width = rows.length == 0 ? 0 : rows[0].length;
        float[] values = new float[Math.multiplyExact(rows.length, width)];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != width) {
                throw new InputException("row " + i + " has " + rows[i].length + " values, but row 0 has " + width
                        + ": give rows of the same length");
            }
            System.arraycopy(rows[i], 0, values, i * width, width);
        }
        return of(values, rows.length, width);
    }

    /**
     * {@return an input of 32-bit floats, from the buffer's position to its limit; a direct buffer is used in place}
     *
     * <p>The fastest input is a direct buffer that begins at a multiple of 64 bytes, as
     * {@link java.nio.ByteBuffer#alignedSlice alignedSlice} gives it: where Java lets one begin, 16 bytes behind, a small
     * network takes 3 to 5% longer.
     *
     * @param values heap or direct; a direct buffer must have the machine's byte order
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values, or the byte order is wrong
     */
    public static Input of(FloatBuffer values, long... shape) {
        if (values.isDirect()) {
            checkOrder(values.order());
            return new Input(Native.FLOAT_BUFFER, values.duplicate(), values.position(), values.remaining(), shape);
        }
        if (values.hasArray()) {
            return new Input(Native.FLOAT_ARRAY, values.array(), start(values), values.remaining(), shape);
        }
        float[] copy = new float[values.remaining()];
        values.duplicate().get(copy);
        return of(copy, shape);
    }

    /**
     * {@return an input of 64-bit floats, from the buffer's position to its limit; a direct buffer is used in place}
     *
     * @param values heap or direct; a direct buffer must have the machine's byte order
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values, or the byte order is wrong
     */
    public static Input of(DoubleBuffer values, long... shape) {
        if (values.isDirect()) {
            checkOrder(values.order());
            return new Input(Native.DOUBLE_BUFFER, values.duplicate(), values.position(), values.remaining(), shape);
        }
        if (values.hasArray()) {
            return new Input(Native.DOUBLE_ARRAY, values.array(), start(values), values.remaining(), shape);
        }
        double[] copy = new double[values.remaining()];
        values.duplicate().get(copy);
        return of(copy, shape);
    }

    /**
     * {@return an input of 64-bit integers, from the buffer's position to its limit; a direct buffer is used in place}
     *
     * @param values heap or direct; a direct buffer must have the machine's byte order
     * @param shape [N, ...]
     * @throws InputException if the shape needs another number of values, or the byte order is wrong
     */
    public static Input of(LongBuffer values, long... shape) {
        if (values.isDirect()) {
            checkOrder(values.order());
            return new Input(Native.LONG_BUFFER, values.duplicate(), values.position(), values.remaining(), shape);
        }
        if (values.hasArray()) {
            return new Input(Native.LONG_ARRAY, values.array(), start(values), values.remaining(), shape);
        }
        long[] copy = new long[values.remaining()];
        values.duplicate().get(copy);
        return of(copy, shape);
    }

    /**
     * {@return an input that is a tensor of JavaCPP, used in place}
     *
     * @param tensor [N, ...]; it must stay open while the input is in use
     */
    public static Input of(Tensor tensor) {
        return new Input(tensor);
    }

    /** What takes an input across to native code, in the words of {@link Native}. */
    interface Use<R> {
        R apply(int source, Object data, long offset, long[] shape);
    }

    /** Runs `use` and keeps the memory behind this input alive as long. */
    <R> R use(Use<R> use) {
        if (source == Native.TENSOR) {
            return Tensors.use((Tensor) data, address -> use.apply(source, null, address, shape));
        }
        try {
            return use.apply(source, data, offset, shape);
        } finally {
            Reference.reachabilityFence(data);
        }
    }

    /** How many numbers {@link #describe} writes for an input. */
    static int described(Input input) {
        return 4 + (input == null ? 0 : input.shape.length);
    }

    /**
     * Describes an input among others, in the words of {@link Native}: an element of `data`, and in `layout` from `begin` on
     * the source, the offset, whether it is shared, the number of axes and their sizes.
     *
     * @param input may be null for none
     * @return the end in `layout`
     */
    static int describe(Input input, boolean isShared, Object[] data, int element, long[] layout, int begin) {
        if (input == null) {
            layout[begin] = Native.NO_INPUT;
            return begin + described(null);
        }
        boolean isTensor = input.source == Native.TENSOR;
        data[element] = isTensor ? null : input.data;
        layout[begin] = input.source;
        layout[begin + 1] = isTensor ? Tensors.address((Tensor) input.data) : input.offset;
        layout[begin + 2] = isShared ? 1 : 0;
        layout[begin + 3] = input.shape.length;
        System.arraycopy(input.shape, 0, layout, begin + 4, input.shape.length);
        return begin + described(input);
    }

    private static long start(Buffer buffer) {
        return (long) buffer.arrayOffset() + buffer.position();
    }

    private static void checkOrder(ByteOrder order) {
        if (order != ByteOrder.nativeOrder()) {
            throw new InputException("the direct buffer has byte order " + order + " and this machine "
                    + ByteOrder.nativeOrder() + ": call order(ByteOrder.nativeOrder()) on its ByteBuffer first");
        }
    }

    private static long size(long[] shape) {
        if (shape.length == 0) {
            throw new InputException("the shape is empty: give [N, ...], batch axis first");
        }
        long size = 1;
        for (long axis : shape) {
            if (axis < 0) {
                throw new InputException("shape " + Arrays.toString(shape) + " has the negative axis " + axis
                        + ": give [N, ...], batch axis first");
            }
            try {
                size = Math.multiplyExact(size, axis);
            } catch (ArithmeticException e) {
                throw new InputException("shape " + Arrays.toString(shape) + " has more than 2^63 values");
            }
        }
        return size;
    }
}
