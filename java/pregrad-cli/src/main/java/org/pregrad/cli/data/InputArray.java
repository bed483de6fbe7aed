package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayReader;
import org.pregrad.data.ElementType;

/** The samples of a data set: float32 and float64 as they are, int32 and int64 as int64 (tokens). */
final class InputArray implements Closeable {
    private final ArrayReader reader;
    private long next;

    InputArray(ArrayReader reader) {
        this.reader = reader;
        String array = "array '" + reader.name() + "'";
        if (!isReadable(reader.type())) {
            throw new UserException(array + " holds " + reader.type().id() + "; save inputs as " + reader.name()
                    + ".astype(np.float32), or as np.int64 if they are tokens");
        }
        if (reader.shape().isEmpty()) {
            throw new UserException(array + " is a scalar; save inputs with the samples along the first axis");
        }
        if (reader.fortran() && reader.shape().size() > 1) {
            throw new UserException(
                    array + " is in Fortran order; save it as np.ascontiguousarray(" + reader.name() + ")");
        }
        if (samples() == 0) {
            throw new UserException(
                    array + " holds 0 samples (shape " + reader.shapeInWords() + "); save at least one");
        }
        if (reader.elements() == 0) {
            throw new UserException(array + " holds samples without values (shape " + reader.shapeInWords()
                    + "); save at least one value each");
        }
    }

    long samples() {
        return reader.shape().get(0);
    }

    ArrayReader reader() {
        return reader;
    }

    String shapeInWords() {
        return reader.shapeInWords();
    }

    long[] shapeOf(int samples) {
        long[] shape = reader.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = samples;
        return shape;
    }

    /** The most samples that one buffer can hold. */
    long largestBatch() {
        // Integers are widened to 8 bytes.
        int size = reader.type().isInteger() ? Long.BYTES : reader.type().size();
        return Integer.MAX_VALUE / size / reader.elementsPerSample();
    }

    /** Lets so many buffers of {@link #next} be valid at a time, the newest included; before the first of them. */
    void keep(int buffersAtOnce) {
        reader.keep(buffersAtOnce);
    }

    Buffer next(int samples) throws IOException {
        int elements = (int) (samples * reader.elementsPerSample());
        Buffer values = typed(reader.next(elements));
        checkFinite(values);
        next += samples;
        return values;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    /** Whether samples may be of this type. */
    static boolean isReadable(ElementType type) {
        return switch (type) {
            case INT32, INT64, FLOAT32, FLOAT64 -> true;
            default -> false;
        };
    }

    private Buffer typed(ByteBuffer bytes) {
        boolean wide = reader.type().size() == Long.BYTES;
        if (!reader.type().isInteger()) {
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
        int bad = firstNotFinite(values);
        if (bad >= 0) {
            long sample = next + bad / reader.elementsPerSample();
            String value = values instanceof FloatBuffer floats
                    ? Float.toString(floats.get(bad))
                    : Double.toString(((DoubleBuffer) values).get(bad));
            throw new UserException("array '" + reader.name() + "' holds " + value + " in sample " + sample
                    + "; remove or replace such samples");
        }
    }

    /** Index of the first NaN or infinite value, or -1; integers are always finite. */
    private static int firstNotFinite(Buffer values) {
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
