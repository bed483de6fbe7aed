package org.pregrad;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayReader;

/** The arrays of a fixture: float32, float64 and int64, in C order. */
final class Npz {
    /** An array of floats, doubles or longs. */
    record Array(Object values, long[] shape) {}

    private Npz() {}

    /** The array, or null if the file has none of that name. */
    static Array read(Path file, String name) {
        try (ArrayFile data = ArrayFile.open(file)) {
            if (!data.holds(name)) {
                return null;
            }
            try (ArrayReader reader = data.open(name)) {
                return new Array(
                        values(reader),
                        reader.shape().stream().mapToLong(Long::longValue).toArray());
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": " + e, e);
        }
    }

    private static Object values(ArrayReader reader) throws IOException {
        int size = (int) reader.elements();
        ByteBuffer bytes = reader.next(size);
        switch (reader.type()) {
            case FLOAT32:
                float[] floats = new float[size];
                bytes.asFloatBuffer().get(floats);
                return floats;
            case FLOAT64:
                double[] doubles = new double[size];
                bytes.asDoubleBuffer().get(doubles);
                return doubles;
            case INT64:
                long[] longs = new long[size];
                bytes.asLongBuffer().get(longs);
                return longs;
            default:
                throw new IllegalArgumentException(
                        reader.name() + " is of type " + reader.type().id());
        }
    }
}
