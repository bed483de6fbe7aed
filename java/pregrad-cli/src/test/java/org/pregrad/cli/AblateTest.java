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
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.cli.output.UnfinishedRun;
import org.pregrad.data.TestNpz;

/** What ablate writes and prints. */
class AblateTest {
    private static final String HEADER = "layer,call,cluster,method,aggregate,repeat,removed,accuracy,mean_output,"
            + "cross_entropy,outside_accuracy";
    private static final int NEURONS = 12;
    private static final int METHOD = 3;
    private static final int REPEAT = 5;
    private static final int REMOVED = 6;
    private static final int ACCURACY = 7;
    private static final int OUTSIDE = 10;

    @TempDir
    private Path directory;

    @Test
    void measuresEachOrderAtEachCount() {
        ablate("--layer", "relu@1", "--repeats", "3", "--method", "gradient,gradient-x-activation");
        assertThat(Fixtures.lines(out("curves.csv")).get(0)).isEqualTo(HEADER);
        Map<String, Long> points = rows("curves.csv")
                .collect(Collectors.groupingBy(
                        row -> String.join(",", Arrays.asList(row).subList(METHOD, REMOVED)),
                        TreeMap::new,
                        Collectors.counting()));
        long clusters = 10;
        assertThat(points.keySet())
                .containsExactly(
                        "ablation,mean,0",
                        "ablation,mean_abs,0",
                        "gradient,mean,0",
                        "gradient,mean_abs,0",
                        "gradient-x-activation,mean,0",
                        "gradient-x-activation,mean_abs,0",
                        "random,mean,0",
                        "random,mean,1",
                        "random,mean,2");
        assertThat(points.values()).allMatch(count -> count == clusters * (NEURONS + 1));
        assertThat(rows("scores.csv").map(row -> row[METHOD]).distinct())
                .containsExactly("gradient", "gradient-x-activation", "ablation", "random");
    }

    @Test
    void startsAllCurvesOfAClusterAtTheWholeModelAndEndsThemAtNone() {
        ablate("--layer", "relu@1", "--repeats", "2");
        for (int end : new int[] {0, NEURONS}) {
            Map<String, List<String>> values = rows("curves.csv")
                    .filter(row -> row[REMOVED].equals(Integer.toString(end)))
                    .collect(Collectors.groupingBy(
                            row -> row[2],
                            Collectors.mapping(
                                    row -> String.join(",", Arrays.asList(row).subList(ACCURACY, OUTSIDE + 1)),
                                    Collectors.toList())));
            assertThat(values).hasSize(10);
            assertThat(values.values())
                    .allSatisfy(points -> assertThat(points.stream().distinct())
                            .as("same numbers whatever the order")
                            .hasSize(1));
        }
        assertThat(rows("curves.csv")
                        .filter(row -> row[REMOVED].equals("0"))
                        .mapToDouble(row -> Double.parseDouble(row[ACCURACY])))
                .allMatch(accuracy -> accuracy > 0.8);
    }

    @Test
    void givesTheSameBytesHoweverManyBatchesRunAtOnce() throws IOException {
        String[] options = {"--layer", "relu@1", "--repeats", "2", "--batch-size", "11", "--batches-at-once", "1"};
        ablate(options);
        byte[] scores = Files.readAllBytes(out("scores.csv"));
        byte[] curves = Files.readAllBytes(out("curves.csv"));
        options[options.length - 1] = "4";
        ablate(options);
        assertThat(out("scores.csv")).hasBinaryContent(scores);
        assertThat(out("curves.csv")).hasBinaryContent(curves);
    }

    @Test
    void drawsThePageThatReportDrawsAgain() throws IOException {
        ablate("--layer", "relu@1", "--repeats", "2");
        byte[] drawn = Files.readAllBytes(out("report.html"));
        Files.delete(out("report.html"));
        assertThat(Ran.inProcess("report", "--from", directory.resolve("out").toString())
                        .code())
                .isZero();
        assertThat(out("report.html")).hasBinaryContent(drawn);
    }

    @Test
    void measuresInHalvesWhatDoesNotFitIntoTheDevicesMemory() {
        List<String> command = List.of(
                "ablate",
                "--model",
                Fixtures.text("special/little-memory.scripted.pt"),
                "--data",
                Fixtures.text("digits.npz"),
                "--layer",
                "act2",
                "--method",
                "gradient",
                "--repeats",
                "1");
        for (String size : new String[] {"1797", "4"}) {
            List<String> arguments = new ArrayList<>(command);
            arguments.addAll(List.of(
                    "--batch-size", size, "--out", directory.resolve(size).toString()));
            Ran ran = Ran.inProcess(arguments.toArray(String[]::new));
            assertThat(ran.code()).as(ran.err()).isZero();
            assertThat(ran.err().lines()).hasSize(size.equals("4") ? 0 : 1);
        }
        List<String[]> seen =
                Fixtures.rows(directory.resolve("1797/curves.csv")).toList();
        List<String[]> expected =
                Fixtures.rows(directory.resolve("4/curves.csv")).toList();
        assertThat(seen).hasSameSizeAs(expected);
        for (int row = 0; row < seen.size(); row++) {
            assertThat(seen.get(row)[ACCURACY]).isEqualTo(expected.get(row)[ACCURACY]);
        }
    }

    @Test
    void sumsTheCurvesUp() throws IOException {
        ablate("--layer", "relu@1", "--repeats", "4", "--method", "gradient", "--aggregate", "mean,cancellation");
        JsonNode summary = summary();
        assertThat(summary.get("score_data").isNull()).isTrue();
        assertThat(summary.get("options").get("repeats").intValue()).isEqualTo(4);
        assertThat(summary.get("options").get("removal").textValue()).isEqualTo("zero");
        assertThat(summary.get("options").get("seed").longValue()).isZero();
        assertThat(summary.get("options").get("methods").toString())
                .isEqualTo("[\"gradient\",\"ablation\",\"random\"]");
        JsonNode curves = summary.get("curves");
        // Gradient and ablation by two aggregates, and random, of ten clusters.
        assertThat(curves).hasSize(50);
        for (JsonNode curve : curves) {
            List<Double> areas = areas(curve);
            double area =
                    areas.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
            assertThat(curve.get("area").doubleValue()).isCloseTo(area, within(1e-12));
            if (curve.get("method").textValue().equals("random")) {
                assertThat(areas).hasSize(4);
                assertThat(curve.get("random_area").doubleValue()).isCloseTo(area, within(1e-12));
                double variance = areas.stream()
                        .mapToDouble(one -> (one - area) * (one - area))
                        .average()
                        .orElseThrow();
                assertThat(curve.get("random_area_std").doubleValue()).isCloseTo(Math.sqrt(variance), within(1e-12));
            } else {
                assertThat(areas).hasSize(1);
            }
            String name = curve.get("method").textValue() + " "
                    + curve.get("aggregate").textValue();
            if (name.equals("ablation mean")) {
                assertThat(curve.get("rank_correlation").doubleValue()).isCloseTo(1, within(1e-12));
            }
        }
    }

    @Test
    void givesTheSameBytesAgainAndLeavesNothingElse() throws IOException {
        ablate("--layer", "relu", "--repeats", "2");
        Map<String, byte[]> first = contents();
        assertThat(first.keySet()).containsExactly("curves.csv", "report.html", "scores.csv", "summary.json");
        ablate("--layer", "relu", "--repeats", "2");
        assertThat(contents()).usingRecursiveComparison().isEqualTo(first);
    }

    @Test
    void scoresOnOtherSamples() throws IOException {
        int samples = 20;
        Path scored = write(
                "s.npz",
                samples,
                IntStream.range(0, samples).mapToLong(i -> i % 3).toArray());
        Path tested = write("d.npz", 4, 2, 0, 0, 2);
        Ran ran = run(tested, "--layer", "relu@1", "--repeats", "2", "--score-data", scored.toString());
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(rows("scores.csv").map(row -> row[2] + ":" + row[5]).distinct())
                .containsExactly("0:7", "1:7", "2:6");
        assertThat(rows("curves.csv").map(row -> row[2]).distinct()).containsExactly("0", "2");
        assertThat(summary().get("score_data").get("file").textValue()).isEqualTo(scored.toString());
        assertThat(summary().get("samples").longValue()).isEqualTo(4);
    }

    @Test
    void namesAClusterThatTheScoreDataLacks() throws IOException {
        Path scored = write("s.npz", 3, 1, 1, 2);
        Path tested = write("d.npz", 4, 2, 7, 5, 1);
        run(tested, "--layer", "relu@1", "--score-data", scored.toString())
                .assertRefused("cluster 5", "give score data with samples of every cluster");
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void leavesOutWhatThereIsNot() throws IOException {
        float[] inputs = new float[5 * 6];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = i % 7 - 3;
        }
        // What a model of one output is to give is often no integer, and is not needed.
        Path data = directory.resolve("one.npz");
        new TestNpz()
                .floats("x", "(5, 6)", inputs)
                .floats("y", "(5,)", 0.5f, 1, 1.5f, 2, 2.5f)
                .write(data);
        Ran ran = Ran.inProcess(
                "ablate",
                "--model",
                Fixtures.text("single-output.scripted.pt"),
                "--data",
                data.toString(),
                "--layer",
                Fixtures.rows(Fixtures.path("golden/single-output.layers.csv"))
                        .findFirst()
                        .orElseThrow()[0],
                "--repeats",
                "2",
                "--target",
                "0",
                "--out",
                directory.resolve("out").toString());
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(rows("curves.csv")).allSatisfy(row -> {
            assertThat(row[ACCURACY]).isEmpty();
            assertThat(Double.parseDouble(row[ACCURACY + 1])).isFinite();
            assertThat(row[ACCURACY + 2]).isEmpty();
        });
        assertThat(summary().get("curves"))
                .allSatisfy(curve -> assertThat(curve.get("area").isNumber()).isTrue());
    }

    @Test
    void hasNoOutsideWithOneCluster() throws IOException {
        run(write("d.npz", 5, 3, 3, 3, 3, 3), "--layer", "relu@1", "--repeats", "2");
        assertThat(rows("curves.csv")).allMatch(row -> row[OUTSIDE].isEmpty());
        ablate("--layer", "relu@1", "--repeats", "2");
        assertThat(rows("curves.csv")).noneMatch(row -> row[OUTSIDE].isEmpty());
    }

    @Test
    void removesByTheMean() throws IOException {
        ablate("--layer", "relu@1", "--repeats", "2", "--removal", "mean");
        assertThat(rows("scores.csv").map(row -> row[METHOD]).distinct())
                .containsExactly(
                        "gradient",
                        "gradient-x-activation",
                        "activation",
                        "gradient-x-centred-activation",
                        "ablation",
                        "random");
        byte[] byMean = contents().get("curves.csv");
        ablate("--layer", "relu@1", "--repeats", "2", "--removal", "zero");
        assertThat(rows("scores.csv").map(row -> row[METHOD])).doesNotContain("gradient-x-centred-activation");
        assertThat(contents().get("curves.csv")).isNotEqualTo(byMean);
    }

    @Test
    void drawsByTheSeed() {
        ablate("--layer", "relu@1", "--repeats", "2", "--seed", "1");
        List<String> first = random();
        ablate("--layer", "relu@1", "--repeats", "2", "--seed", "2");
        assertThat(random()).isNotEqualTo(first);
        ablate("--layer", "relu@1", "--repeats", "2", "--seed", "1");
        assertThat(random()).isEqualTo(first);
    }

    @Test
    void printsTheBestOrderFirst() {
        Ran ran = ablate("--layer", "relu@1", "--repeats", "2");
        List<String> lines = ran.out().lines().toList();
        assertThat(lines.get(0))
                .matches("layer +cluster +method +aggregate +area +95% interval +random +p +rank correlation");
        List<Double> areas = lines.stream()
                .filter(line -> line.matches("relu@1 +0 .*"))
                .map(line -> Double.valueOf(line.split(" +", -1)[4]))
                .toList();
        assertThat(areas).hasSize(9).isSorted();
        assertThat(lines.get(1))
                .matches(
                        ".* 0\\.\\d{3}  0\\.\\d{3}\\D{1,4}[01]\\.\\d{3} +0\\.\\d{3} ± 0\\.\\d{3} +\\S+ +-?[01]\\.\\d\\d");
        assertThat(ran.out()).contains(out("curves.csv").toString());
        assertThat(ablate("--layer", "relu@1", "--repeats", "2", "--quiet").out())
                .isEmpty();
    }

    @Test
    void refusesWrongInputsAndLeavesNothing() throws IOException {
        Path data = Fixtures.path("digits-images.npz");
        run(data, "--layer", "nothing").assertRefused("nothing", "relu");
        run(data, "--layer", "relu", "--target", "10").assertRefused("10");
        run(data, "--layer", "relu", "--score-data", "none.npz").assertRefused("none.npz does not exist");
        run(Fixtures.path("broken/labels-missing.npz"), "--layer", "relu").assertRefused("no array 'y'");
        run(data, "--layer", "relu", "--method", "integrated-gradients", "--baseline", "none.npz")
                .assertRefused("none.npz");
        Path late = new TestNpz()
                .floats("x", "(3, 1, 8, 8)", new float[3 * 64])
                .longs("y", "(3,)", 0, 9, 10)
                .write(directory.resolve("late.npz"));
        run(late, "--layer", "relu", "--batch-size", "2").assertRefused("10", "sample 2");
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void keepsAnUnfinishedRunWhenTheNextCommandIsMistyped() throws IOException {
        Path folder = directory.resolve("out").resolve(UnfinishedRun.FOLDER);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("scores.state"), "much work");
        run(Fixtures.path("digits-images.npz"), "--layer", "relo").assertRefused("relo");
        assertThat(folder.resolve("scores.state")).hasContent("much work");
    }

    @Test
    void keepsAnUnfinishedRunThatTheDeviceEnded() throws IOException {
        int samples = 8;
        float[] inputs = new float[samples * 64];
        inputs[7 * 64] = -1000;
        Path data = new TestNpz()
                .floats("x", "(8, 64)", inputs)
                .longs("y", "(8,)", new long[samples])
                .write(directory.resolve("breaking.npz"));
        Ran ran = Ran.inProcess(
                "ablate",
                "--model",
                Fixtures.text("special/little-memory.scripted.pt"),
                "--data",
                data.toString(),
                "--layer",
                "act2",
                "--batch-size",
                "4",
                "--out",
                directory.resolve("out").toString());
        ran.assertRefused("CUDA error: an illegal memory access was encountered");
        assertThat(directory.resolve("out").resolve(UnfinishedRun.FOLDER)).isDirectory();
    }

    @Test
    void startsAnewAfterAnotherCommandOrADamagedState() throws IOException {
        ablate("--layer", "relu@1", "--repeats", "2");
        Map<String, byte[]> expected = contents();
        Path folder = directory.resolve("out").resolve(UnfinishedRun.FOLDER);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("scores.state"), "much work");
        Ran ran = run(Fixtures.path("digits-images.npz"), "--layer", "relu@1", "--repeats", "2");
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).startsWith("pregrad: the unfinished run in ").endsWith("starting anew\n");
        assertThat(contents()).usingRecursiveComparison().isEqualTo(expected);
    }

    private static double area(List<double[]> points) {
        double area = 0;
        for (int i = 1; i < points.size(); i++) {
            double width = (points.get(i)[0] - points.get(i - 1)[0]) / NEURONS;
            area += width * (points.get(i)[1] + points.get(i - 1)[1]) / 2;
        }
        return area;
    }

    /** The areas of the repeats of one entry of the summary, from curves.csv. */
    private List<Double> areas(JsonNode curve) {
        Map<String, List<double[]>> repeats = rows("curves.csv")
                .filter(row -> row[2].equals(curve.get("cluster").asText())
                        && row[METHOD].equals(curve.get("method").textValue())
                        && row[METHOD + 1].equals(curve.get("aggregate").textValue()))
                .collect(Collectors.groupingBy(
                        row -> row[REPEAT],
                        Collectors.mapping(
                                row -> new double[] {Double.parseDouble(row[REMOVED]), Double.parseDouble(row[ACCURACY])
                                },
                                Collectors.toList())));
        return repeats.values().stream().map(AblateTest::area).toList();
    }

    private List<String> random() {
        return Fixtures.lines(out("curves.csv")).stream()
                .filter(line -> line.contains(",random,"))
                .toList();
    }

    private Path write(String name, int samples, long... clusters) throws IOException {
        float[] values = new float[samples * 64];
        long[] labels = new long[samples];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 37 % 101) / 101f;
        }
        for (int i = 0; i < samples; i++) {
            labels[i] = i % 10;
        }
        return new TestNpz()
                .floats("x", "(" + samples + ", 1, 8, 8)", values)
                .longs("y", "(" + samples + ",)", labels)
                .longs("cluster", "(" + samples + ",)", clusters)
                .write(directory.resolve(name));
    }

    private Ran ablate(String... options) {
        Ran ran = run(Fixtures.path("digits-images.npz"), options);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return ran;
    }

    private Ran run(Path data, String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "ablate",
                "--model",
                Fixtures.text("digits-cnn.scripted.pt"),
                "--data",
                data.toString(),
                // On a busy machine threads wait for each other longer than they compute on so little.
                "--threads",
                "1",
                "--out",
                directory.resolve("out").toString()));
        arguments.addAll(List.of(options));
        return Ran.inProcess(arguments.toArray(String[]::new));
    }

    private Path out(String name) {
        return directory.resolve("out").resolve(name);
    }

    private Stream<String[]> rows(String name) {
        return Fixtures.rows(out(name));
    }

    private JsonNode summary() throws IOException {
        return new ObjectMapper().readTree(out("summary.json").toFile());
    }

    private Map<String, byte[]> contents() throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory.resolve("out"))) {
            for (Path file : files.toList()) {
                contents.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return contents;
    }
}
