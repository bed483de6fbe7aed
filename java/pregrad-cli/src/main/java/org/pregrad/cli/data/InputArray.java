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

/** What goes into one input of a model: float32 and float64 as they are, integers and booleans as int64. */
final class InputArray implements Closeable {
    private final ArrayReader reader;
    private final String input;
    private final boolean shared;
    private Batch.Part whole;
    private long next;

    /**
     * @param input  the model's name of it
     * @param shared whether it has no batch axis, and is given whole with every batch
     */
    InputArray(ArrayReader reader, String input, boolean shared) {
        this.reader = reader;
        this.input = input;
        this.shared = shared;
        String array = "array '" + reader.name() + "'";
        if (!isReadable(reader.type())) {
            throw new UserException(array + " holds " + reader.type().id() + "; save inputs as " + reader.name()
                    + ".astype(np.float32), or as np.int64 if they are tokens");
        }
        if (reader.shape().isEmpty()) {
            throw new UserException(array + " is a scalar; save inputs with the samples along the first axis");
        }
        if (reader.fortran() && reader.shape().size() > 1) {
            throw fortran(reader);
        }
        if (samples() == 0) {
            throw new UserException(
                    array + " holds 0 samples (shape " + reader.shapeInWords() + "); save at least one");
        }
        if (reader.elements() == 0) {
            throw new UserException(array + " holds samples without values (shape " + reader.shapeInWords()
                    + "); save at least one value each");
        }
        if (shared && largestBatch() < samples()) {
            throw new UserException(array + " (" + reader.shapeInWords()
                    + ") takes more than 2 GiB, and is shared by all samples; save a smaller one");
        }
    }

    static UserException fortran(ArrayReader reader) {
        return new UserException("array '" + reader.name() + "' is in Fortran order; save it as np.ascontiguousarray("
                + reader.name() + ")");
    }

    /** The model's name of it. */
    String input() {
        return input;
    }

    boolean isShared() {
        return shared;
    }

    /** The first axis. */
    long samples() {
        return reader.shape().get(0);
    }

    ArrayReader reader() {
        return reader;
    }

    String shapeInWords() {
        return reader.shapeInWords();
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

    /** The next samples; of what is shared, all of it. */
    Batch.Part next(int samples) throws IOException {
        if (!shared) {
            return read(samples);
        }
        if (whole == null) {
            whole = read((int) samples());
        }
        return whole;
    }

    private Batch.Part read(int samples) throws IOException {
        Buffer values = typed(reader.next((int) (samples * reader.elementsPerSample())));
        checkFinite(values);
        next += samples;
        long[] shape = reader.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = samples;
        return new Batch.Part(input, values, shape, shared);
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    /** Whether inputs may be of this type. */
    static boolean isReadable(ElementType type) {
        return type != ElementType.FLOAT16 && type != ElementType.UINT64 && type != ElementType.TEXT;
    }

    private Buffer typed(ByteBuffer bytes) {
        return switch (reader.type()) {
            case FLOAT32 -> bytes.asFloatBuffer();
            case FLOAT64 -> bytes.asDoubleBuffer();
            case INT64 -> bytes.asLongBuffer();
            case BOOL -> bytes;
            default -> widened(bytes);
        };
    }

    private LongBuffer widened(ByteBuffer integers) {
        int count = integers.remaining() / reader.type().size();
        LongBuffer longs = ByteBuffer.allocateDirect(count * Long.BYTES)
                .order(integers.order())
                .asLongBuffer();
        for (int i = 0; i < count; i++) {
            longs.put(i, IntegerArray.value(integers, reader.type(), i));
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
            throw new UserException("array '" + reader.name() + "' holds " + value
                    + (shared
                            ? " in row " + sample + "; replace it"
                            : " in sample " + sample + "; remove or replace such samples"));
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
