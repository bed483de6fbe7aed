package org.pregrad.cli.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.function.BiConsumer;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayReader;
import org.pregrad.data.ElementType;

/** The values of some samples of an array, to be looked at. */
public final class SampleRows {
    /** So many elements are read at once. */
    private static final int CHUNK = 1 << 20;

    private SampleRows() {}

    /**
     * One sample.
     *
     * @param shape  without the axis of samples
     * @param values row-major
     */
    public record Row(List<Long> shape, boolean isInteger, double[] values) {}

    /**
     * Reads samples from front to back.
     *
     * @param samples their indices
     * @param to      takes each index with its sample
     * @throws UserException if the array has no such samples
     */
    public static void read(Path data, String array, SortedSet<Long> samples, BiConsumer<Long, Row> to) {
        try (ArrayFile file = ArrayFile.open(data);
                ArrayReader reader = file.open(array)) {
            if (reader.fortran() && reader.shape().size() > 1) {
                throw InputArray.fortran(reader);
            }
            if (!InputArray.isReadable(reader.type())) {
                return;
            }
            List<Long> shape = reader.shape();
            long all = shape.isEmpty() ? 0 : shape.get(0);
            if (!samples.isEmpty() && samples.last() >= all) {
                throw new UserException("array '" + array + "' of " + data + " has " + all
                        + " samples, but examples.csv names sample " + samples.last()
                        + "; give the data that the run had");
            }
            long each = shape.isEmpty() ? 1 : reader.elementsPerSample();
            long next = 0;
            for (long sample : samples) {
                for (long skip = (sample - next) * each; skip > 0; skip -= Math.min(skip, CHUNK)) {
                    reader.next((int) Math.min(skip, CHUNK));
                }
                to.accept(
                        sample,
                        new Row(
                                shape.subList(1, shape.size()),
                                reader.type().isInteger(),
                                values(reader.next(Math.toIntExact(each)), reader.type())));
                next = sample + 1;
            }
        } catch (IOException e) {
            throw new UserException(
                    "data file " + data + " cannot be read (" + e.getMessage() + "); check its disk", e);
        }
    }

    private static double[] values(ByteBuffer bytes, ElementType type) {
        double[] values = new double[bytes.remaining() / type.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (type) {
                case FLOAT32 -> bytes.getFloat(Float.BYTES * i);
                case FLOAT64 -> bytes.getDouble(Double.BYTES * i);
                default -> IntegerArray.value(bytes, type, i);
            };
        }
        return values;
    }
}
