package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.function.ToLongFunction;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayReader;
import org.pregrad.data.ElementType;

/**
 * Labels or clusters: integers of any width, for each sample one or, of labels, one per position; or text, of which each
 * has a number.
 */
final class IntegerArray implements Closeable {
    static final String LABELS = "labels";

    private final ArrayReader reader;
    private final ToLongFunction<String> numbers;

    /** @param role what the integers are, for messages: {@code labels} or {@code clusters} */
    IntegerArray(ArrayReader reader, String role, InputArray inputs) {
        this(reader, role, inputs, null);
    }

    /** @param numbers of texts; null if there must be none */
    IntegerArray(ArrayReader reader, String role, InputArray inputs, ToLongFunction<String> numbers) {
        this.reader = reader;
        this.numbers = numbers;
        String name = reader.name();
        boolean maybeWeights = role.equals(LABELS) && reader.shape().size() > 1;
        String weightsToo = maybeWeights ? ", or give --target weights if it holds a number for each output" : "";
        if (!reader.type().isInteger() && !(reader.type() == ElementType.TEXT && numbers != null)) {
            throw new UserException("array '" + name + "' holds "
                    + reader.type().id() + ", but " + role + " are integers; save it as " + name + ".astype(np.int64)"
                    + weightsToo);
        }
        requireSamplesOf(inputs, reader, role);
        if (reader.fortran() && reader.shape().size() > 1) {
            throw InputArray.fortran(reader);
        }
    }

    /** @throws UserException if the array has other samples than the inputs */
    static void requireSamplesOf(InputArray inputs, ArrayReader reader, String role) {
        if (reader.shape().isEmpty()) {
            throw new UserException("array '" + reader.name() + "' is a scalar, but " + role
                    + " are given for each sample; save it with the samples along the first axis");
        }
        if (reader.shape().get(0) != inputs.samples()) {
            throw new UserException("array '" + reader.name() + "' has "
                    + reader.shape().get(0) + " " + role + ", but the inputs are " + inputs.samples()
                    + " samples (shape " + inputs.shapeInWords() + "); save one per sample");
        }
    }

    /** @throws UserException if there is more than one integer per sample */
    IntegerArray requireOnePerSample(String role) {
        if (reader.shape().size() != 1) {
            throw new UserException("array '" + reader.name() + "' has shape " + reader.shapeInWords() + ", but " + role
                    + " are one integer per sample; " + oneAxis());
        }
        return this;
    }

    /** How to save the array with one integer per sample. */
    String oneAxis() {
        return reader.elementsPerSample() == 1
                ? "save it with one axis, e.g. " + reader.name() + ".ravel()"
                : "save one integer per sample";
    }

    ArrayReader reader() {
        return reader;
    }

    /** The next ones in their shape, samples first. */
    Batch.Part next(int samples, String name) throws IOException {
        long[] shape = reader.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = samples;
        return new Batch.Part(name, LongBuffer.wrap(next(samples)), shape, false);
    }

    long[] next(int samples) throws IOException {
        int elements = (int) (samples * reader.elementsPerSample());
        if (reader.type() == ElementType.TEXT) {
            return reader.texts(elements).stream().mapToLong(numbers).toArray();
        }
        ByteBuffer bytes = reader.next(elements);
        long[] values = new long[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = checked(value(bytes, reader.type(), i));
        }
        return values;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    /** An integer of any width; unsigned ones of 64 bits may come out negative. */
    static long value(ByteBuffer bytes, ElementType type, int i) {
        return switch (type) {
            case INT8 -> bytes.get(i);
            case BOOL, UINT8 -> Byte.toUnsignedLong(bytes.get(i));
            case INT16 -> bytes.getShort(2 * i);
            case UINT16 -> Short.toUnsignedLong(bytes.getShort(2 * i));
            case INT32 -> bytes.getInt(4 * i);
            case UINT32 -> Integer.toUnsignedLong(bytes.getInt(4 * i));
            default -> bytes.getLong(8 * i);
        };
    }

    private long checked(long bits) {
        if (bits < 0 && reader.type() == ElementType.UINT64) {
            throw new UserException("array '" + reader.name() + "' holds " + Long.toUnsignedString(bits)
                    + ", beyond a 64-bit integer; save smaller numbers as np.int64");
        }
        return bits;
    }
}
