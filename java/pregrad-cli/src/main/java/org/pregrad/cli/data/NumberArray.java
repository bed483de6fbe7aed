package org.pregrad.cli.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.npz.NpyHeader;
import org.pregrad.cli.npz.NpyReader;
import org.pregrad.cli.npz.NpyType;

/** A whole array of finite numbers in memory. */
// Nobody compares such arrays, and the values are handed on at once.
@SuppressWarnings("ArrayRecordComponent")
record NumberArray(NpyHeader header, double[] values) {
    /** @throws UserException if it does not hold finite numbers of 32 or 64 bits; the message does not name the file */
    static NumberArray read(NpyReader reader) throws IOException {
        NpyHeader header = reader.header();
        NpyType type = header.type();
        String array = "array '" + reader.name() + "'";
        boolean readable = type.size() >= Integer.BYTES && type.kind() != NpyType.Kind.UNSIGNED;
        if (!readable || (header.fortran() && header.shape().size() > 1)) {
            throw new UserException(array + " holds " + type + (header.fortran() ? " in Fortran order" : "")
                    + "; save it as np.ascontiguousarray(" + reader.name() + ", np.float32)");
        }
        if (header.elements() > Integer.MAX_VALUE / Double.BYTES) {
            throw new UserException(array + " is " + header.shapeInWords() + ", more than 2 GiB; save one sample");
        }
        ByteBuffer bytes = reader.next((int) header.elements());
        double[] values = new double[(int) header.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(bytes, type, i);
            if (!Double.isFinite(values[i])) {
                throw new UserException(array + " holds " + values[i] + " at " + i + "; give finite values");
            }
        }
        return new NumberArray(header, values);
    }

    private static double value(ByteBuffer bytes, NpyType type, int i) {
        int at = i * type.size();
        boolean wide = type.size() == Long.BYTES;
        if (type.isInteger()) {
            return wide ? bytes.getLong(at) : bytes.getInt(at);
        }
        return wide ? bytes.getDouble(at) : bytes.getFloat(at);
    }
}
