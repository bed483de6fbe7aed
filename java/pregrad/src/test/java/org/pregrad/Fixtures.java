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

    /** The aggregates that golden files have. */
    static final List<Aggregate> AGGREGATES = List.of(Aggregate.MEAN, Aggregate.MEAN_ABS, Aggregate.RMS, Aggregate.STD);

    /** The methods of which golden files have all layers, clusters and samples. */
    static final List<Method> BASIC_METHODS = List.of(
            Method.GRADIENT,
            Method.GRADIENT_X_PREACTIVATION,
            Method.GRADIENT_X_ACTIVATION,
            Method.PREACTIVATION,
            Method.ACTIVATION);

    /**
     * The methods that every model can be asked for with a batch alone: others want more inputs, hold for some operators
     * only, or draw at length, and have tests of their own.
     */
    static final List<Method> UNCONDITIONAL_METHODS = Stream.of(Method.values())
            .filter(method -> method.compareTo(Method.RANDOM) <= 0)
            .toList();

    /** The methods that run the model once per batch. */
    static final List<Method> ONE_PASS_METHODS = UNCONDITIONAL_METHODS.stream()
            .filter(method -> method != Method.INTEGRATED_GRADIENTS
                    && method != Method.CONDUCTANCE
                    && method != Method.INTERNAL_INFLUENCE
                    && method != Method.ABLATION)
            .toList();

    /** The values of one layer call, cluster and method, per aggregate and neuron. */
    record Truth(String layer, long call, long cluster, Method method, long count, double[][] values) {}

    /** The same of some neurons, and in which variant the method was used. */
    record MethodTruth(Truth truth, String variant, int[] neurons) {}

    /** The points of a removal curve: accuracy, mean output, cross entropy and outside accuracy. */
    record CurveTruth(String layer, long call, long cluster, Removal removal, String order, double[][] points) {}

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
        return groups("golden/" + model + ".scores.csv", 4).stream()
                .map(rows -> truth(rows, 5))
                .toList();
    }

    /** The models with golden values of path methods, removals and rates. */
    static Stream<Entry> withMethods() {
        return accepted().filter(entry -> Files.exists(file("golden/" + entry.name() + ".methods.csv")));
    }

    static List<MethodTruth> methods(String model) {
        return groups("golden/" + model + ".methods.csv", 5).stream()
                .map(rows -> new MethodTruth(
                        truth(rows, 6),
                        rows.get(0)[4],
                        rows.stream().mapToInt(row -> Integer.parseInt(row[5])).toArray()))
                .toList();
    }

    /** The models with golden removal curves. */
    static Stream<Entry> withCurves() {
        return accepted().filter(entry -> Files.exists(file("golden/" + entry.name() + ".curves.csv")));
    }

    static List<CurveTruth> curves(String model) {
        List<CurveTruth> truths = new ArrayList<>();
        for (List<String[]> rows : groups("golden/" + model + ".curves.csv", 5)) {
            String[] first = rows.get(0);
            truths.add(new CurveTruth(
                    first[0],
                    Long.parseLong(first[1]),
                    Long.parseLong(first[2]),
                    Removal.of(first[3]),
                    first[4],
                    columns(rows, 6)));
        }
        return truths;
    }

    private static Truth truth(List<String[]> rows, int countColumn) {
        String[] first = rows.get(0);
        return new Truth(
                first[0],
                Long.parseLong(first[1]),
                Long.parseLong(first[2]),
                Method.of(first[3]),
                Long.parseLong(first[countColumn]),
                columns(rows, countColumn + 1));
    }

    /** The four columns from `begin` on; nothing is NaN. */
    private static double[][] columns(List<String[]> rows, int begin) {
        double[][] columns = new double[4][rows.size()];
        for (int i = 0; i < rows.size(); i++) {
            for (int column = 0; column < columns.length; column++) {
                String text = rows.get(i)[begin + column];
                columns[column][i] = text.isEmpty() ? Double.NaN : Double.parseDouble(text);
            }
        }
        return columns;
    }

    /** The rows that agree in the first columns. */
    private static List<List<String[]>> groups(String name, int columns) {
        Map<List<String>, List<String[]>> groups = new LinkedHashMap<>();
        for (String[] row : rows(name)) {
            groups.computeIfAbsent(List.of(row).subList(0, columns), key -> new ArrayList<>())
                    .add(row);
        }
        return List.copyOf(groups.values());
    }

    static List<String[]> rows(String name) {
        try (Stream<String> lines = Files.lines(file(name))) {
            return lines.skip(1).map(line -> line.split(",", -1)).toList();
        } catch (IOException e) {
            throw new IllegalArgumentException(name + ": " + e, e);
        }
    }

    /** ‖value − truth‖ / ‖truth‖; the norm of the value alone where the truth is 0. */
    static double relativeError(double[] value, double[] truth) {
        double norm = norm(truth);
        return distance(value, truth) / (norm == 0 ? 1 : norm);
    }

    static double norm(double[] values) {
        return distance(values, new double[values.length]);
    }

    /** ‖a − b‖; infinite if they differ in length. */
    static double distance(double[] a, double[] b) {
        if (a.length != b.length) {
            return Double.POSITIVE_INFINITY;
        }
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            squares += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(squares);
    }
}
