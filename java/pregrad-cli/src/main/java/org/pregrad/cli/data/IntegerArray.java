package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.npz.NpyHeader;
import org.pregrad.cli.npz.NpyReader;
import org.pregrad.cli.npz.NpyType;

/** Labels or clusters: one integer per sample, of any width. */
final class IntegerArray implements Closeable {
    private final NpyReader reader;
    private final NpyType type;

    /** @param role what the integers are, for messages: {@code labels} or {@code clusters} */
    IntegerArray(NpyReader reader, String role, InputArray inputs) {
        this.reader = reader;
        this.type = reader.header().type();
        NpyHeader header = reader.header();
        String name = reader.name();
        if (!type.isInteger()) {
            throw new UserException("array '" + name + "' holds " + type + ", but " + role
                    + " are integers; save it as " + name + ".astype(np.int64)");
        }
        if (header.shape().size() != 1) {
            throw new UserException("array '" + name + "' has shape " + header.shapeInWords() + ", but " + role
                    + " are one integer per sample; save it with one axis, e.g. " + name + ".ravel()");
        }
        if (header.shape().get(0) != inputs.samples()) {
            throw new UserException(
                    "array '" + name + "' has " + header.shape().get(0) + " " + role + ", but the inputs are "
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
        boolean signed = type.kind() == NpyType.Kind.SIGNED;
        return switch (type.size()) {
            case Byte.BYTES -> signed ? bytes.get(i) : Byte.toUnsignedLong(bytes.get(i));
            case Short.BYTES -> signed ? bytes.getShort(2 * i) : Short.toUnsignedLong(bytes.getShort(2 * i));
            case Integer.BYTES -> signed ? bytes.getInt(4 * i) : Integer.toUnsignedLong(bytes.getInt(4 * i));
            default -> signed ? bytes.getLong(8 * i) : checked(bytes.getLong(8 * i));
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
