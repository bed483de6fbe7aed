package org.pregrad;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What stands in tests/fixtures. */
final class Fixtures {
    private Fixtures() {}

    /** A model file; `refused` tells why it must be refused, and is empty if it must not. */
    record Entry(String name, String file, String data, String refused) {
        @Override
        public String toString() {
            return file;
        }
    }

    /** The values of one layer call, cluster and method, per aggregate and neuron. */
    record Truth(String layer, long call, long cluster, Method method, long count, double[][] values) {}

    static Path folder() {
        return Path.of(System.getProperty("pregrad.fixtures", "../../tests/fixtures"));
    }

    static Path file(String name) {
        return folder().resolve(name);
    }

    static Stream<Entry> entries() {
        return rows("models.csv").stream().map(row -> new Entry(row[0], row[2], row[3], row[4]));
    }

    static Stream<Entry> accepted() {
        return entries().filter(entry -> entry.refused().isEmpty());
    }

    static Stream<Entry> refused() {
        return entries().filter(entry -> !entry.refused().isEmpty());
    }

    static Data data(String file) {
        Path path = file(file);
        Npz.Array x = Npz.read(path, "x");
        return new Data(x.values(), x.shape(), longs(path, "y"), longs(path, "cluster"));
    }

    static Data digits() {
        return data("digits.npz");
    }

    private static long[] longs(Path path, String name) {
        return (long[]) Npz.read(path, name).values();
    }

    /** The layers of a model, as {@link Layer} values. */
    static List<Layer> layers(String model) {
        List<Layer> layers = new ArrayList<>();
        for (String[] row : rows("golden/" + model + ".layers.csv")) {
            List<Long> shape = Stream.of(row[6].split("x")).map(Long::valueOf).toList();
            layers.add(new Layer(
                    row[0],
                    Long.parseLong(row[1]),
                    row[2],
                    Boolean.parseBoolean(row[3]),
                    Long.parseLong(row[4]),
                    Long.parseLong(row[5]),
                    shape,
                    row[7]));
        }
        return layers;
    }

    static List<Truth> scores(String model) {
        Map<String, List<String[]>> groups = new LinkedHashMap<>();
        for (String[] row : rows("golden/" + model + ".scores.csv")) {
            groups.computeIfAbsent(String.join(",", row[0], row[1], row[2], row[3]), key -> new ArrayList<>())
                    .add(row);
        }
        List<Truth> truths = new ArrayList<>();
        for (List<String[]> rows : groups.values()) {
            double[][] values = new double[Aggregate.values().length][rows.size()];
            for (int neuron = 0; neuron < rows.size(); neuron++) {
                for (int aggregate = 0; aggregate < values.length; aggregate++) {
                    values[aggregate][neuron] = Double.parseDouble(rows.get(neuron)[6 + aggregate]);
                }
            }
            String[] first = rows.get(0);
            truths.add(new Truth(
                    first[0],
                    Long.parseLong(first[1]),
                    Long.parseLong(first[2]),
                    Method.of(first[3]),
                    Long.parseLong(first[5]),
                    values));
        }
        return truths;
    }

    private static List<String[]> rows(String name) {
        try (Stream<String> lines = Files.lines(file(name))) {
            return lines.skip(1).map(line -> line.split(",", -1)).toList();
        } catch (IOException e) {
            throw new IllegalArgumentException(name + ": " + e, e);
        }
    }

    /** ‖value − truth‖ / ‖truth‖; the norm of the value alone where the truth is 0. */
    static double relativeError(double[] value, double[] truth) {
        if (value.length != truth.length) {
            return Double.POSITIVE_INFINITY;
        }
        double error = 0;
        double norm = 0;
        for (int i = 0; i < truth.length; i++) {
            error += (value[i] - truth[i]) * (value[i] - truth[i]);
            norm += truth[i] * truth[i];
        }
        return Math.sqrt(norm == 0 ? error : error / norm);
    }
}
