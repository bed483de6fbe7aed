package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The command's files meet the golden values of eager PyTorch on every model. */
class GoldenTest {
    private static final double TOLERANCE = Fixtures.OF_GOLDEN_VALUES;
    private static final int METHOD = 3;
    private static final int FIRST_AGGREGATE = 6;

    /** The golden shapes are those of all samples at once. */
    private static final String ALL_SAMPLES = "100000";

    @TempDir
    private Path directory;

    static Stream<Fixtures.Entry> accepted() {
        return Fixtures.accepted();
    }

    static Stream<Fixtures.Entry> scored() {
        return Fixtures.accepted().filter(entry -> !layers(entry).isEmpty());
    }

    @ParameterizedTest
    @MethodSource("accepted")
    void layersAreListed(Fixtures.Entry entry) throws IOException {
        Ran ran = Ran.inProcess(
                "layers",
                "--model",
                entry.file().toString(),
                "--data",
                entry.data().toString(),
                "--format",
                "csv",
                "--batch-size",
                ALL_SAMPLES);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).isEqualTo(Files.readString(Fixtures.path("golden/" + entry.model() + ".layers.csv")));
    }

    @ParameterizedTest
    @MethodSource("scored")
    void scoresAreWritten(Fixtures.Entry entry) {
        List<String> arguments = new ArrayList<>(List.of(
                "attribute",
                "--model",
                entry.file().toString(),
                "--data",
                entry.data().toString(),
                "--out",
                directory.toString(),
                "--layer"));
        arguments.addAll(layers(entry));
        arguments.add("--method");
        Path truth = Fixtures.path("golden/" + entry.model() + ".scores.csv");
        Fixtures.rows(truth).map(row -> row[METHOD]).distinct().forEach(arguments::add);
        Ran ran = Ran.inProcess(arguments.toArray(String[]::new));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        Path scores = directory.resolve("scores.csv");
        assertThat(firstDifference(keys(scores), keys(truth))).isEmpty();
        Map<String, List<double[]>> expected = groups(truth);
        groups(scores).forEach((group, rows) -> assertThat(relativeErrors(rows, expected.get(group)))
                .as(group)
                .allMatch(error -> error < TOLERANCE));
    }

    private static List<String> layers(Fixtures.Entry entry) {
        return Fixtures.rows(Fixtures.path("golden/" + entry.model() + ".layers.csv"))
                .map(row -> row[0])
                .distinct()
                .toList();
    }

    private static String firstDifference(List<String> written, List<String> wanted) {
        for (int row = 0; row < Math.max(written.size(), wanted.size()); row++) {
            String is = row < written.size() ? written.get(row) : "nothing";
            String should = row < wanted.size() ? wanted.get(row) : "nothing";
            if (!is.equals(should)) {
                return "row " + row + " is " + is + " instead of " + should;
            }
        }
        return "";
    }

    /** All columns but the numbers, header included: names, order and counts must be the same. */
    private static List<String> keys(Path file) {
        return Fixtures.lines(file).stream()
                .map(line -> Arrays.stream(line.split(",", -1))
                        .limit(FIRST_AGGREGATE)
                        .collect(Collectors.joining(",")))
                .toList();
    }

    /** Per layer, call, cluster and method the numbers of each neuron. */
    private static Map<String, List<double[]>> groups(Path file) {
        return Fixtures.rows(file)
                .collect(Collectors.groupingBy(
                        row -> String.join(",", Arrays.asList(row).subList(0, 4)),
                        Collectors.mapping(
                                row -> Arrays.stream(row)
                                        .skip(FIRST_AGGREGATE)
                                        .mapToDouble(Double::parseDouble)
                                        .toArray(),
                                Collectors.toList())));
    }

    /** ‖error‖ / ‖truth‖ per aggregate; ‖error‖ where the truth is 0. */
    private static List<Double> relativeErrors(List<double[]> values, List<double[]> truth) {
        List<Double> errors = new ArrayList<>();
        for (int aggregate = 0; aggregate < truth.get(0).length; aggregate++) {
            double error = 0;
            double norm = 0;
            for (int neuron = 0; neuron < truth.size(); neuron++) {
                double expected = truth.get(neuron)[aggregate];
                error += Math.pow(values.get(neuron)[aggregate] - expected, 2);
                norm += expected * expected;
            }
            errors.add(Math.sqrt(norm == 0 ? error : error / norm));
        }
        return errors;
    }
}
