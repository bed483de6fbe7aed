package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pregrad.Method;
import org.pregrad.data.TestNpz;

/** What attribute writes and prints. */
class AttributeTest {
    @TempDir
    private Path directory;

    @Test
    void givesTheSameBytesAgain() throws IOException {
        attribute("--layer", "relu", "--method", "gradient,activation");
        byte[] scores = Files.readAllBytes(directory.resolve("out/scores.csv"));
        byte[] summary = Files.readAllBytes(directory.resolve("out/summary.json"));
        Files.writeString(directory.resolve("out/notes"), "mine");
        attribute("--layer", "relu", "--method", "gradient,activation");
        assertThat(directory.resolve("out/scores.csv")).hasBinaryContent(scores);
        assertThat(directory.resolve("out/summary.json")).hasBinaryContent(summary);
        assertThat(names(directory.resolve("out")))
                .containsExactly("notes", "report.html", "scores.csv", "summary.json");
        assertThat(names(directory)).containsExactly("out");
    }

    @Test
    void drawsThePageThatReportDrawsAgain() throws IOException {
        Ran ran = attribute("--layer", "relu", "--method", "gradient,activation");
        Path page = directory.resolve("out/report.html");
        assertThat(ran.out()).contains("Report:  " + page);
        byte[] drawn = Files.readAllBytes(page);
        Files.delete(page);
        assertThat(Ran.inProcess("report", "--from", page.getParent().toString())
                        .code())
                .isZero();
        assertThat(page).hasBinaryContent(drawn);
    }

    @Test
    void drawsNoPageWhereNoneIsWanted() throws IOException {
        Ran ran = attribute("--layer", "relu", "--no-report");
        assertThat(ran.out()).doesNotContain("report.html");
        assertThat(names(directory.resolve("out"))).containsExactly("scores.csv", "summary.json");
    }

    @Test
    void givesTheSameScoresForAnyBatchSize() {
        List<double[]> whole = scores("--batch-size", "1000");
        for (String size : new String[] {"1", "7", "256"}) {
            List<double[]> batched = scores("--batch-size", size, "--threads", "2");
            assertThat(batched).hasSameSizeAs(whole);
            for (int row = 0; row < whole.size(); row++) {
                for (int column = 0; column < whole.get(row).length; column++) {
                    double expected = whole.get(row)[column];
                    assertThat(batched.get(row)[column])
                            .isCloseTo(expected, within(Fixtures.BETWEEN_BATCHES * Math.max(1, Math.abs(expected))));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "5"})
    void givesTheSameBytesHoweverManyBatchesRunAtOnce(String atOnce) throws IOException {
        String everyMethod = Stream.of(Method.values())
                .filter(method -> method.compareTo(Method.RANDOM) <= 0)
                .map(Method::id)
                .collect(Collectors.joining(","));
        List<String> options = new ArrayList<>(List.of(
                "--layer", "relu", "--method", everyMethod, "--steps", "3", "--batch-size", "11", "--threads", "1"));
        attribute(options.toArray(String[]::new));
        byte[] scores = Files.readAllBytes(directory.resolve("out/scores.csv"));
        options.addAll(List.of("--batches-at-once", atOnce));
        attribute(options.toArray(String[]::new));
        assertThat(directory.resolve("out/scores.csv")).hasBinaryContent(scores);
    }

    @Test
    void takesASingleArrayWhereNoLabelsAreNeeded() throws IOException {
        float[] values = new float[3 * 64];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 7;
        }
        Path npz = new TestNpz().floats("x", "(3, 64)", values).write(directory.resolve("d.npz"));
        Path npy = Files.write(
                directory.resolve("x.npy"),
                TestNpz.npy(
                        1,
                        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 64)}",
                        TestNpz.little(
                                4 * values.length, to -> to.asFloatBuffer().put(values))));
        for (Path data : List.of(npz, npy)) {
            List<String> command = List.of(
                    "attribute",
                    "--model",
                    Fixtures.text("digits-mlp.scripted.pt"),
                    "--layer",
                    "act1",
                    "--data",
                    data.toString());
            List<String> labelled = new ArrayList<>(command);
            labelled.addAll(List.of("--out", directory.resolve("none").toString()));
            Ran.inProcess(labelled.toArray(String[]::new))
                    .assertRefused("no array 'y'; it holds x", "give --target predicted");
            String out = data.getFileName() + ".out";
            assertThat(run(command, out, "--target", "predicted").code()).isZero();
        }
        assertThat(directory.resolve("x.npy.out/scores.csv"))
                .hasSameBinaryContentAs(directory.resolve("d.npz.out/scores.csv"));
    }

    @Test
    void tellsOnceOfBatchesThatDoNotFitIntoTheDevicesMemory() throws IOException {
        List<String> command = List.of(
                "attribute",
                "--model",
                Fixtures.text("special/little-memory.scripted.pt"),
                "--data",
                Fixtures.text("digits.npz"),
                "--layer",
                "act1");
        Ran split = run(command, "split", "--batch-size", "64");
        assertThat(split.err().lines())
                .containsExactly("pregrad: a batch of 64 samples did not fit into the device's memory and was added in"
                        + " halves; a smaller --batch-size saves the runs that fail");
        assertThat(run(command, "quiet", "--batch-size", "64", "--quiet").err()).isEmpty();
        assertThat(run(command, "fitting", "--batch-size", "4").err()).isEmpty();
        List<String[]> seen =
                Fixtures.rows(directory.resolve("split/scores.csv")).toList();
        List<String[]> expected =
                Fixtures.rows(directory.resolve("fitting/scores.csv")).toList();
        assertThat(seen).hasSameSizeAs(expected);
        for (int row = 0; row < seen.size(); row++) {
            int count = 5;
            assertThat(seen.get(row)[count]).isEqualTo(expected.get(row)[count]);
            assertThat(Double.parseDouble(seen.get(row)[count + 1]))
                    .isCloseTo(Double.parseDouble(expected.get(row)[count + 1]), within(Fixtures.OF_GOLDEN_VALUES));
        }
    }

    private Ran run(List<String> command, String out, String... options) {
        List<String> arguments = new ArrayList<>(command);
        arguments.addAll(List.of("--out", directory.resolve(out).toString()));
        arguments.addAll(List.of(options));
        Ran ran = Ran.inProcess(arguments.toArray(String[]::new));
        assertThat(ran.code()).as(ran.err()).isZero();
        return ran;
    }

    @Test
    void tellsInTheSummaryWhatWasRunOnWhat() throws IOException {
        attribute(
                "--layer",
                "relu@1",
                "--method",
                "gradient-x-activation",
                "--method",
                "gradient",
                "--aggregate",
                "rms",
                "--target",
                "3");
        JsonNode summary = new ObjectMapper()
                .readTree(directory.resolve("out/summary.json").toFile());
        assertThat(summary.get("versions").get("libtorch").textValue()).startsWith("2.");
        assertThat(summary.get("versions").get("java").textValue())
                .isEqualTo(Runtime.version().toString());
        assertThat(summary.get("command").textValue())
                .startsWith("pregrad attribute --model ")
                .contains("--layer relu@1");
        assertThat(summary.get("arguments").get(0).textValue()).isEqualTo("attribute");
        JsonNode options = summary.get("options");
        assertThat(options.get("layers").toString()).isEqualTo("[\"relu@1\"]");
        assertThat(options.get("methods").toString()).isEqualTo("[\"gradient-x-activation\",\"gradient\"]");
        assertThat(options.get("target").textValue()).isEqualTo("3");
        assertThat(options.get("output").textValue()).isEqualTo("logit");
        assertThat(options.get("batch_size").intValue()).isEqualTo(256);
        assertThat(options.get("labels").isNull()).as("not needed, so not read").isTrue();
        assertThat(options.get("clusters").textValue()).isEqualTo("cluster");
        assertThat(summary.get("model").get("sha256").textValue()).matches("[0-9a-f]{64}");
        assertThat(summary.get("data").get("bytes").longValue())
                .isEqualTo(Files.size(Fixtures.path("digits-images.npz")));
        JsonNode score = summary.get("scores").get(0);
        assertThat(score.get("call").intValue()).isEqualTo(1);
        assertThat(score.get("neurons").intValue()).isEqualTo(12);
        assertThat(score.get("median_cancellation").doubleValue()).isBetween(0.0, 1.0);
        assertThat(score.get("top").properties()).hasSize(1);
        assertThat(score.get("top").get("rms")).hasSize(10);
    }

    @Test
    void putsAllSamplesIntoClusterZeroWithoutAClusterArray() throws IOException {
        Path data = new TestNpz()
                .floats("pixels", "(2, 1, 8, 8)", new float[128])
                .array("class", "|u1", "(2,)", new byte[] {4, 9})
                .write(directory.resolve("d.npz"));
        Ran ran = Ran.inProcess(
                "attribute",
                "--model",
                Fixtures.text("digits-cnn.traced.pt"),
                "--data",
                data.toString(),
                "--inputs",
                "pixels",
                "--labels",
                "class",
                "--layer",
                "relu@0",
                "--out",
                directory.resolve("out").toString());
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(Fixtures.rows(directory.resolve("out/scores.csv")))
                .allMatch(row -> row[2].equals("0") && row[5].equals("2"));
        JsonNode summary = new ObjectMapper()
                .readTree(directory.resolve("out/summary.json").toFile());
        assertThat(summary.get("options").get("clusters").isNull()).isTrue();
    }

    @Test
    void printsWhereTheResultsAreAndTheFirstNeurons() {
        Ran ran = attribute("--layer", "relu@1");
        assertThat(ran.out())
                .contains(
                        "first neurons by mean of gradient",
                        "relu@1",
                        directory.resolve("out/scores.csv").toString());
        assertThat(ran.out().lines().filter(line -> line.startsWith("relu@1"))).hasSize(10);
    }

    @Test
    void printsNothingWhenQuiet() {
        Ran ran = attribute("--layer", "relu@1", "--quiet");
        assertThat(ran.out()).isEmpty();
        assertThat(directory.resolve("out/scores.csv")).exists();
    }

    @Test
    void namesOnePrediction() {
        List<double[]> predicted = scores("--target", "predicted");
        List<double[]> probability = scores("--target", "predicted", "--output", "probability");
        assertThat(norm(probability)).isLessThan(norm(predicted));
    }

    private static double norm(List<double[]> rows) {
        return rows.stream()
                .flatMapToDouble(Arrays::stream)
                .map(value -> value * value)
                .sum();
    }

    private List<double[]> scores(String... options) {
        List<String> all = new ArrayList<>(List.of("--layer", "relu"));
        all.addAll(List.of(options));
        attribute(all.toArray(String[]::new));
        return Fixtures.rows(directory.resolve("out/scores.csv"))
                .map(row -> Arrays.stream(row)
                        .skip(6)
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
    }

    private Ran attribute(String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "attribute",
                "--model",
                Fixtures.text("digits-cnn.scripted.pt"),
                "--data",
                Fixtures.text("digits-images.npz"),
                "--out",
                directory.resolve("out").toString()));
        arguments.addAll(List.of(options));
        Ran ran = Ran.inProcess(arguments.toArray(String[]::new));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return ran;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
