package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayReader;

/** Labels or clusters: one integer per sample, of any width. */
final class IntegerArray implements Closeable {
    private final ArrayReader reader;

    /** @param role what the integers are, for messages: {@code labels} or {@code clusters} */
    IntegerArray(ArrayReader reader, String role, InputArray inputs) {
        this.reader = reader;
        String name = reader.name();
        if (!reader.type().isInteger()) {
            throw new UserException("array '" + name + "' holds "
                    + reader.type().id() + ", but " + role + " are integers; save it as " + name + ".astype(np.int64)");
        }
        if (reader.shape().size() != 1) {
            throw new UserException("array '" + name + "' has shape " + reader.shapeInWords() + ", but " + role
                    + " are one integer per sample; save it with one axis, e.g. " + name + ".ravel()");
        }
        if (reader.shape().get(0) != inputs.samples()) {
            throw new UserException(
                    "array '" + name + "' has " + reader.shape().get(0) + " " + role + ", but the inputs are "
                            + inputs.samples() + " samples (shape " + inputs.shapeInWords() + "); save one per sample");
        }
    }

    long[] next(int samples) throws IOException {
        ByteBuffer bytes = reader.next(samples);
        long[] values = new long[samples];
        for (int i = 0; i < samples; i++) {
            values[i] = value(bytes, i);
        }
        return values;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    private long value(ByteBuffer bytes, int i) {
        return switch (reader.type()) {
            case INT8 -> bytes.get(i);
            case BOOL, UINT8 -> Byte.toUnsignedLong(bytes.get(i));
            case INT16 -> bytes.getShort(2 * i);
            case UINT16 -> Short.toUnsignedLong(bytes.getShort(2 * i));
            case INT32 -> bytes.getInt(4 * i);
            case UINT32 -> Integer.toUnsignedLong(bytes.getInt(4 * i));
            case UINT64 -> checked(bytes.getLong(8 * i));
            default -> bytes.getLong(8 * i);
        };
    }

    private long checked(long bits) {
        if (bits < 0) {
            throw new UserException("array '" + reader.name() + "' holds " + Long.toUnsignedString(bits)
                    + ", beyond a 64-bit integer; save smaller numbers as np.int64");
        }
        return bits;
    }
}
