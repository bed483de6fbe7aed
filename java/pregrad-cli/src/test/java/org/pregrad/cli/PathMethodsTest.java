package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pregrad.Method;
import org.pregrad.data.TestNpz;

/** The options of methods that follow a path, remove neurons or draw numbers. */
class PathMethodsTest {
    private static final int FIRST = 6;
    private static final int ACT2_NEURONS = 64;

    @TempDir
    private Path directory;

    @Test
    void allMethodsAreWritten() throws IOException {
        run(
                withCorrupt("corrupt.x", 9),
                "act2",
                "--method",
                String.join(",", Arrays.stream(Method.values()).map(Method::id).toList()),
                "--references",
                digits("references.npz", 5).toString(),
                "--permutations",
                "4");
        assertThat(Fixtures.lines(directory.resolve("out/scores.csv")).get(0)).endsWith(",std,cancellation");
        assertThat(Fixtures.rows(directory.resolve("out/scores.csv"))
                        .map(row -> row[3])
                        .distinct())
                .containsExactly(Arrays.stream(Method.values()).map(Method::id).toArray(String[]::new));
        for (JsonNode entry : summary().get("scores")) {
            boolean complete = List.of(
                            "integrated-gradients", "conductance", "deep-lift", "shapley", "expected-gradients")
                    .contains(entry.get("method").textValue());
            assertThat(entry.get("completeness_error").isNumber()).isEqualTo(complete);
        }
    }

    @Test
    void cancellationIsTheShareOfTheMeanThatIsLeft() {
        attribute("act2", "--method", "gradient");
        assertThat(Fixtures.rows(directory.resolve("out/scores.csv"))).allSatisfy(row -> {
            double meanAbs = Double.parseDouble(row[FIRST + 1]);
            double left = Math.abs(Double.parseDouble(row[FIRST])) / meanAbs;
            // Boxed, NaN is equal to itself.
            assertThat(Double.valueOf(row[FIRST + 4])).isEqualTo(Double.valueOf(left));
        });
    }

    @Test
    void optionsStandInTheSummary() throws IOException {
        Path baseline = constants("b.npz", "act2", new float[ACT2_NEURONS]);
        attribute(
                "act2",
                "--method",
                "integrated-gradients",
                "--steps",
                "7",
                "--rule",
                "midpoint",
                "--baseline",
                baseline.toString(),
                "--removal",
                "mean",
                "--seed",
                "5");
        JsonNode options = summary().get("options");
        assertThat(options.get("steps").intValue()).isEqualTo(7);
        assertThat(options.get("rule").textValue()).isEqualTo("midpoint");
        assertThat(options.get("baseline").get("file").textValue()).isEqualTo(baseline.toString());
        assertThat(options.get("baseline").get("sha256").textValue()).matches("[0-9a-f]{64}");
        assertThat(options.get("input_baseline").textValue()).isEqualTo("zero");
        assertThat(options.get("removal").textValue()).isEqualTo("mean");
        assertThat(options.get("seed").longValue()).isEqualTo(5);
    }

    @Test
    void moreStepsAreMoreComplete() throws IOException {
        attribute("act1", "--method", "integrated-gradients", "--steps", "2");
        double few = completenessError();
        attribute("act1", "--method", "integrated-gradients", "--steps", "200");
        assertThat(completenessError()).isLessThan(few).isLessThan(1e-2);
    }

    @Test
    void aBaselineOfZerosFromAFileIsZero() throws IOException {
        for (String name : new String[] {"act2", "act2@0"}) {
            List<double[]> zero = attribute("act2", "--method", "integrated-gradients");
            Path file = constants("zero.npz", name, new float[ACT2_NEURONS]);
            assertThat(attribute("act2", "--method", "integrated-gradients", "--baseline", file.toString()))
                    .usingElementComparator(Arrays::compare)
                    .containsExactlyElementsOf(zero);
        }
    }

    @Test
    void layersOfABaselineMayBeAskedForByAnotherName() throws IOException {
        Path file = constants("zero.npz", "act2", new float[ACT2_NEURONS]);
        assertThat(attribute("fc2", "--method", "integrated-gradients", "--baseline", file.toString()))
                .usingElementComparator(Arrays::compare)
                .containsExactlyElementsOf(attribute("act2", "--method", "integrated-gradients"));
    }

    @Test
    void theMeanBaselineIsTheMeanActivation() throws IOException {
        Path data = digits("one.npz", 40);
        List<double[]> means = run(data, "act2", "--method", "activation");
        float[] values = new float[ACT2_NEURONS];
        for (int neuron = 0; neuron < values.length; neuron++) {
            values[neuron] = (float) means.get(neuron)[0];
        }
        Path file = constants("mean.npz", "act2", values);
        List<double[]> given = run(data, "act2", "--method", "integrated-gradients", "--baseline", file.toString());
        List<double[]> mean = run(data, "act2", "--method", "integrated-gradients", "--baseline", "mean");
        List<double[]> zero = run(data, "act2", "--method", "integrated-gradients");
        assertThat(distance(mean, given)).isLessThan(1e-4 * distance(mean, zero));
    }

    @Test
    void anInputBaselineOfZerosFromAFileIsZero() throws IOException {
        List<double[]> zero = attribute("act2", "--method", "conductance,internal-influence");
        for (String shape : new String[] {"(64,)", "(1, 64)"}) {
            Path file = new TestNpz().floats("x", shape, new float[64]).write(directory.resolve("x.npz"));
            assertThat(attribute(
                            "act2", "--method", "conductance,internal-influence", "--input-baseline", file.toString()))
                    .usingElementComparator(Arrays::compare)
                    .containsExactlyElementsOf(zero);
        }
        float[] half = new float[64];
        Arrays.fill(half, 0.5f);
        Path file = new TestNpz().floats("x", "(64,)", half).write(directory.resolve("x.npz"));
        assertThat(distance(
                        zero,
                        attribute(
                                "act2",
                                "--method",
                                "conductance,internal-influence",
                                "--input-baseline",
                                file.toString())))
                .isGreaterThan(1e-3);
    }

    @Test
    void whatTheInputsAreHeldAgainstIsInTheDataToo() throws IOException {
        for (String name : List.of("corrupt.x", "corrupt", "other.x")) {
            String prefix = name.replace(".x", "");
            List<double[]> patched = run(withCorrupt(name, 9), "act2", "--method", "patching", "--corrupt", prefix);
            assertThat(patched).anySatisfy(row -> assertThat(Math.abs(row[0])).isGreaterThan(1e-3));
            JsonNode options = summary().get("options");
            assertThat(options.get("corrupt").textValue()).isEqualTo(prefix);
        }
        Path same = withCorrupt("corrupt.x", 0);
        assertThat(run(same, "act2", "--method", "patching,gradient-x-difference"))
                .allSatisfy(row -> assertThat(row[0]).isEqualTo(0));
        refuse("there is no array 'corrupt.x'; it holds", "--method", "patching");
        refuse("expected-gradients has no references; give", "--method", "expected-gradients");
    }

    @Test
    void theOptionsOfNewerMethodsDecideTheScores() throws IOException {
        List<double[]> ofA = attribute("act2", "--method", "integrated-gradients");
        // ReLU is linear on the way from 0 to z where z is positive, and its gradient is 0 elsewhere.
        assertThat(distance(ofA, attribute("act2", "--method", "integrated-gradients", "--of-z")))
                .isLessThan(1e-3);
        assertThat(summary().get("options").get("of_z").booleanValue()).isTrue();
        String references = digits("references.npz", 3).toString();
        List<double[]> expected =
                run(withCorrupt("other", 1), "act2", "--method", "expected-gradients", "--references", references);
        assertThat(summary().get("options").get("references").get("sha256").textValue())
                .matches("[0-9a-f]{64}");
        List<double[]> others = run(
                withCorrupt("other", 1),
                "act2",
                "--method",
                "expected-gradients",
                "--references",
                references,
                "--seed",
                "7");
        assertThat(distance(expected, others)).isGreaterThan(0);
        refuse("there are 1 permutations for shapley: give 2 to 1000000", "--method", "shapley", "--permutations", "1");
    }

    /** Samples with others of that name, which are the same for a shift of 0. */
    private Path withCorrupt(String name, int shift) throws IOException {
        int samples = 6;
        float[] values = new float[64 * samples];
        float[] others = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 37 % 101) / 101f;
            others[i] = ((i + shift) * 37 % 101) / 101f;
        }
        return new TestNpz()
                .floats("x", "(" + samples + ", 64)", values)
                .floats(name, "(" + samples + ", 64)", others)
                .longs("y", "(" + samples + ",)", new long[samples])
                .write(directory.resolve("pairs.npz"));
    }

    @Test
    void removalByTheMeanChangesTheOracle() {
        List<double[]> zero = attribute("act2", "--method", "ablation");
        assertThat(distance(zero, attribute("act2", "--method", "ablation", "--removal", "mean")))
                .isGreaterThan(1e-3);
        // ReLU of 0 is 0.
        assertThat(distance(zero, attribute("act2", "--method", "ablation", "--removal", "zero-preactivation")))
                .isCloseTo(0, within(1e-6));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "act1 | (64,) | there is no array 'act2'; it holds act1; save one value for each of the 64 neurons as act2@0",
                "act2 | (32,) | has shape 32, but layer act2@0 has 64 neurons",
                "act2 | (64, 1) | has shape 64x1, but layer act2@0 has 64 neurons",
            })
    void baselinesThatDoNotFit(String name, String shape, String message) throws IOException {
        int elements = Arrays.stream(shape.replaceAll("[() ]", "").split(","))
                .mapToInt(Integer::parseInt)
                .reduce(1, (a, b) -> a * b);
        Path file = new TestNpz().floats(name, shape, new float[elements]).write(directory.resolve("b.npz"));
        refuse(message, "--method", "integrated-gradients", "--baseline", file.toString());
    }

    @Test
    void baselinesThatCannotBeUsed() throws IOException {
        refuse("does not exist", "--method", "integrated-gradients", "--baseline", "none.npz");
        float[] values = new float[ACT2_NEURONS];
        values[3] = Float.NaN;
        Path file = constants("nan.npz", "act2", values);
        refuse("holds NaN at 3", "--method", "integrated-gradients", "--baseline", file.toString());
        Path flat = new TestNpz().floats("x", "(8, 8)", new float[64]).write(directory.resolve("x.npz"));
        refuse(
                "has shape 8x8, but a sample of the data has 64",
                "--method",
                "conductance",
                "--input-baseline",
                flat.toString());
        refuse("there is no array 'x'; it holds act2", "--method", "conductance", "--input-baseline", file.toString());
    }

    private void refuse(String message, String... options) {
        Path out = directory.resolve("out");
        byte[] before = bytes(out.resolve("scores.csv"));
        List<String> arguments = arguments(Fixtures.path("digits.npz"), "act2", options);
        Ran.inProcess(arguments.toArray(String[]::new)).assertRefused(message);
        assertThat(bytes(out.resolve("scores.csv"))).isEqualTo(before);
        if (before == null) {
            assertThat(out).doesNotExist();
        }
    }

    /** What a file holds; null where there is none. */
    private static byte[] bytes(Path file) {
        try {
            return Files.exists(file) ? Files.readAllBytes(file) : null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path constants(String file, String name, float... values) throws IOException {
        return new TestNpz().floats(name, "(" + values.length + ",)", values).write(directory.resolve(file));
    }

    private Path digits(String file, int samples) throws IOException {
        float[] values = new float[64 * samples];
        long[] labels = new long[samples];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 37 % 101) / 101f;
        }
        return new TestNpz()
                .floats("x", "(" + samples + ", 64)", values)
                .longs("y", "(" + samples + ",)", labels)
                .write(directory.resolve(file));
    }

    private double completenessError() throws IOException {
        double error = 0;
        for (JsonNode entry : summary().get("scores")) {
            error = Math.max(error, entry.get("completeness_error").doubleValue());
        }
        return error;
    }

    private JsonNode summary() throws IOException {
        return new ObjectMapper().readTree(directory.resolve("out/summary.json").toFile());
    }

    private static double distance(List<double[]> left, List<double[]> right) {
        double sum = 0;
        for (int row = 0; row < left.size(); row++) {
            sum += Math.pow(left.get(row)[0] - right.get(row)[0], 2);
        }
        return Math.sqrt(sum);
    }

    private List<double[]> attribute(String layer, String... options) {
        return run(Fixtures.path("digits.npz"), layer, options);
    }

    private List<double[]> run(Path data, String layer, String... options) {
        Ran ran = Ran.inProcess(arguments(data, layer, options).toArray(String[]::new));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return Fixtures.rows(directory.resolve("out/scores.csv"))
                .map(row -> Arrays.stream(row)
                        .skip(FIRST)
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
    }

    private List<String> arguments(Path data, String layer, String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "attribute",
                "--model",
                Fixtures.text("digits-mlp.scripted.pt"),
                "--data",
                data.toString(),
                "--layer",
                layer,
                // On a busy machine threads wait for each other longer than they compute on so little.
                "--threads",
                "1",
                "--out",
                directory.resolve("out").toString()));
        arguments.addAll(List.of(options));
        return arguments;
    }
}
