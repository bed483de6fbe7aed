package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.npz.NpyHeader;
import org.pregrad.cli.npz.NpyReader;
import org.pregrad.cli.npz.NpyType;

/** The samples of a data set: float32 and float64 as they are, int32 and int64 as int64 (tokens). */
final class InputArray implements Closeable {
    private final NpyReader reader;
    private final NpyHeader header;
    private long next;

    InputArray(NpyReader reader) {
        this.reader = reader;
        this.header = reader.header();
        String array = "array '" + reader.name() + "'";
        if (!isReadable(header.type())) {
            throw new UserException(array + " holds " + header.type() + "; save inputs as " + reader.name()
                    + ".astype(np.float32), or as np.int64 if they are tokens");
        }
        if (header.shape().isEmpty()) {
            throw new UserException(array + " is a scalar; save inputs with the samples along the first axis");
        }
        if (header.fortran() && header.shape().size() > 1) {
            throw new UserException(
                    array + " is in Fortran order; save it as np.ascontiguousarray(" + reader.name() + ")");
        }
        if (samples() == 0) {
            throw new UserException(
                    array + " holds 0 samples (shape " + header.shapeInWords() + "); save at least one");
        }
        if (header.elements() == 0) {
            throw new UserException(array + " holds samples without values (shape " + header.shapeInWords()
                    + "); save at least one value each");
        }
    }

    long samples() {
        return header.shape().get(0);
    }

    NpyHeader header() {
        return header;
    }

    String shapeInWords() {
        return header.shapeInWords();
    }

    long[] shapeOf(int samples) {
        long[] shape = header.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = samples;
        return shape;
    }

    /** The most samples that one buffer can hold. */
    long largestBatch() {
        // Integers are widened to 8 bytes.
        int size = header.type().isInteger() ? Long.BYTES : header.type().size();
        return Integer.MAX_VALUE / size / header.elementsPerSample();
    }

    /** Lets so many buffers of {@link #next} be valid at a time, the newest included; before the first of them. */
    void keep(int buffersAtOnce) {
        reader.keep(buffersAtOnce);
    }

    Buffer next(int samples) throws IOException {
        int elements = (int) (samples * header.elementsPerSample());
        Buffer values = typed(reader.next(elements));
        checkFinite(values);
        next += samples;
        return values;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    private static boolean isReadable(NpyType type) {
        return type.size() >= Integer.BYTES && type.kind() != NpyType.Kind.UNSIGNED;
    }

    private Buffer typed(ByteBuffer bytes) {
        boolean wide = header.type().size() == Long.BYTES;
        if (!header.type().isInteger()) {
            return wide ? bytes.asDoubleBuffer() : bytes.asFloatBuffer();
        }
        return wide ? bytes.asLongBuffer() : widened(bytes);
    }

    private static LongBuffer widened(ByteBuffer ints) {
        int count = ints.remaining() / Integer.BYTES;
        LongBuffer longs = ByteBuffer.allocateDirect(count * Long.BYTES)
                .order(ints.order())
                .asLongBuffer();
        for (int i = 0; i < count; i++) {
            longs.put(i, ints.getInt(i * Integer.BYTES));
        }
        return longs;
    }

    /** The core refuses such values too, but knows only the number of a sample within its batch. */
    private void checkFinite(Buffer values) {
        int bad = FiniteCheck.firstNotFinite(values);
        if (bad >= 0) {
            long sample = next + bad / header.elementsPerSample();
            String value = values instanceof FloatBuffer floats
                    ? Float.toString(floats.get(bad))
                    : Double.toString(((DoubleBuffer) values).get(bad));
            throw new UserException("array '" + reader.name() + "' holds " + value + " in sample " + sample
                    + "; remove or replace such samples");
        }
    }
}
