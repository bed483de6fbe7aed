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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.TestNpz;

/** What explain writes and prints, against values of eager PyTorch; and the examples of attribute. */
class ExplainTest {
    private static final String MLP = "digits-mlp-tanh";

    @TempDir
    private Path directory;

    /** The values of golden/explain.csv by {@code sample,layer,call,method}. */
    private static Map<String, double[]> truths(String model) {
        Map<String, double[]> truths = new HashMap<>();
        Fixtures.rows(Fixtures.path("golden/explain.csv"))
                .filter(row -> row[0].equals(model))
                .forEach(row -> truths.put(
                        String.join(",", row[1], row[2], row[3], row[4]),
                        Arrays.stream(row[6].split(" "))
                                .mapToDouble(Double::parseDouble)
                                .toArray()));
        return truths;
    }

    private Ran explain(String model, String data, String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "explain",
                "--model",
                Fixtures.text(model + ".scripted.pt"),
                "--data",
                data,
                "--out",
                directory.resolve("out").toString()));
        arguments.addAll(List.of(options));
        return Ran.inProcess(arguments.toArray(String[]::new));
    }

    private Ran explained(String model, String data, String... options) {
        Ran ran = explain(model, Fixtures.text(data), options);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return ran;
    }

    private List<String[]> rows() {
        return Fixtures.rows(directory.resolve("out/explain.csv")).toList();
    }

    /** The rows by {@code sample,layer,call,method}, in their order. */
    private Map<String, List<String[]>> groups() {
        Map<String, List<String[]>> groups = new LinkedHashMap<>();
        rows().forEach(row -> groups.computeIfAbsent(
                        String.join(",", row[0], row[1], row[2], row[3]), key -> new ArrayList<>())
                .add(row));
        return groups;
    }

    @Test
    void tellsTheStrongestNeuronsAndFeaturesOfEachSampleAsPyTorchDoes() throws IOException {
        explained(
                MLP,
                "digits.npz",
                "--layer",
                "input:x",
                "act2",
                "--method",
                "gradient,gradient-x-activation,gradient-x-centred-activation,integrated-gradients",
                "--steps",
                "100",
                "--samples",
                "17,3",
                "--top",
                "1000");
        assertThat(Files.readAllLines(directory.resolve("out/explain.csv")).get(0))
                .isEqualTo("sample,layer,call,method,neuron,score");
        Map<String, double[]> truths = truths(MLP);
        Map<String, List<String[]>> groups = groups();
        assertThat(groups.keySet()).containsExactlyInAnyOrderElementsOf(truths.keySet());
        assertThat(groups.keySet().stream()
                        .map(key -> key.substring(0, key.indexOf(',')))
                        .distinct())
                .containsExactly("3", "17");
        groups.forEach((key, rows) -> {
            double[] truth = truths.get(key);
            double norm = Math.sqrt(Arrays.stream(truth).map(v -> v * v).sum());
            assertThat(rows).as(key).hasSize(truth.length);
            double last = Double.POSITIVE_INFINITY;
            for (String[] row : rows) {
                double score = Double.parseDouble(row[5]);
                assertThat(score)
                        .as(key + " neuron " + row[4])
                        .isCloseTo(truth[Integer.parseInt(row[4])], within(Fixtures.OF_GOLDEN_VALUES * norm));
                assertThat(Math.abs(score)).isLessThanOrEqualTo(last);
                last = Math.abs(score);
            }
        });
        JsonNode summary = new ObjectMapper()
                .readTree(directory.resolve("out/summary.json").toFile());
        assertThat(summary.get("samples").longValue()).isEqualTo(1797);
        assertThat(summary.get("options").get("rows").toString()).isEqualTo("[3,17]");
        assertThat(summary.get("options").get("top").intValue()).isEqualTo(1000);
        assertThat(summary.get("command").textValue()).startsWith("pregrad explain --model");
        assertThat(summary.has("scores")).isFalse();
    }

    @Test
    void tellsPixelsOneByOne() {
        explained(
                "digits-cnn",
                "digits-images.npz",
                "--layer",
                "input:x",
                "--method",
                "gradient-x-activation",
                "--positions",
                "each",
                "--samples",
                "3",
                "--top",
                "7");
        double[] truth = truths("digits-cnn").get("3,input:x,0,gradient-x-activation");
        double[] strongest = Arrays.stream(truth)
                .boxed()
                .sorted((left, right) -> Double.compare(Math.abs(right), Math.abs(left)))
                .mapToDouble(Double::doubleValue)
                .toArray();
        List<String[]> rows = rows();
        assertThat(rows).hasSize(7);
        for (int i = 0; i < rows.size(); i++) {
            String[] row = rows.get(i);
            assertThat(row).hasSize(7);
            double score = Double.parseDouble(row[6]);
            assertThat(score).isCloseTo(truth[Integer.parseInt(row[4])], within(1e-5));
            assertThat(Math.abs(score)).isCloseTo(Math.abs(strongest[i]), within(1e-5));
            assertThat(row[5]).isEqualTo("0");
        }
    }

    @Test
    void givesTheSameOfAllRowsInOtherBatchesAndInAnotherProcess() {
        explained(MLP, "digits.npz", "--layer", "act2", "--samples", "0-20", "--top", "3");
        List<String[]> whole = rows();
        assertThat(whole).hasSize(21 * 3);
        for (List<String> options : List.of(List.of("--batch-size", "4"), List.of("--isolate"))) {
            List<String> all = new ArrayList<>(List.of("--layer", "act2", "--samples", "0-20", "--top", "3"));
            all.addAll(options);
            explained(MLP, "digits.npz", all.toArray(String[]::new));
            List<String[]> seen = rows();
            assertThat(seen).hasSameSizeAs(whole);
            for (int i = 0; i < seen.size(); i++) {
                assertThat(seen.get(i)[0]).isEqualTo(whole.get(i)[0]);
                assertThat(Double.parseDouble(seen.get(i)[5]))
                        .isCloseTo(Double.parseDouble(whole.get(i)[5]), within(1e-5));
            }
        }
        explained(MLP, "digits.npz", "--layer", "act2", "--target", "predicted", "--top", "1", "--batch-size", "500");
        assertThat(rows()).hasSize(1797).extracting(row -> row[0]).contains("0", "500", "1796");
    }

    @Test
    void printsTheFirstSamplesAndWhereTheRestIs() {
        Ran ran = explained(MLP, "digits.npz", "--layer", "act2", "--samples", "0-29");
        assertThat(ran.out())
                .contains("strongest neurons", "act2@0 gradient", "... and 10 more rows, all in explain.csv")
                .contains("Values:  " + directory.resolve("out/explain.csv"));
        assertThat(ran.out().lines().filter(line -> line.contains("act2@0"))).hasSize(20);
        assertThat(explained(MLP, "digits.npz", "--layer", "act2", "--samples", "0", "--quiet")
                        .out())
                .isEmpty();
    }

    @Test
    void refusesRowsThatAreNotThereAndInputsThatAreWrong() throws IOException {
        String digits = Fixtures.text("digits.npz");
        explain(MLP, digits, "--layer", "act2", "--samples", "3,1797")
                .assertRefused("--samples 1797", "has 1797 samples", "give rows from 0 to 1796");
        explain(MLP, digits, "--layer", "act7").assertRefused("act7");
        explain(MLP, digits, "--layer", "act2", "--target", "12").assertRefused("12");
        explain(MLP, digits, "--layer", "act2", "--labels", "cluster2").assertRefused("cluster2");
        float[] values = new float[5 * 64];
        values[3 * 64] = Float.NaN;
        Path data = new TestNpz()
                .floats("x", "(5, 64)", values)
                .array("y", "|u1", "(5,)", new byte[5])
                .write(directory.resolve("d.npz"));
        explain(MLP, data.toString(), "--layer", "act2", "--batch-size", "2")
                .assertRefused("array 'x' holds NaN in sample 3");
        assertThat(directory.resolve("out")).doesNotExist();
        Files.createFile(directory.resolve("out"));
        explain(MLP, digits, "--layer", "act2").assertRefused("is a file; give another --out");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--samples 3- | '3-' is no list of rows",
                "--samples 9-3 | '9-3' is no list of rows",
                "--samples -1 | no list of rows",
                "--samples 1,,2 | '1,,2' is no list of rows",
                "--top 0 | '0' is no number from 1",
                "--method grad | unknown method 'grad'",
                "--positions some | 'some'",
                "--aggregate mean | unknown option '--aggregate'",
                "--clusters c | unknown option '--clusters'",
            })
    void refusesOptionsInOneLine(String options, String message) {
        List<String> arguments =
                new ArrayList<>(List.of("explain", "--model", "m.pt", "--data", "d.npz", "--layer", "a", "--out", "o"));
        arguments.addAll(List.of(options.split(" ")));
        Ran ran = Ran.inProcess(arguments.toArray(String[]::new));
        ran.assertRefused(message);
        assertThat(ran.err()).contains("--help");
    }

    private Ran attribute(String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "attribute",
                "--model",
                Fixtures.text("digits-cnn.scripted.pt"),
                "--data",
                Fixtures.text("digits-images.npz"),
                "--layer",
                "relu@1",
                "--method",
                "activation,gradient-x-activation",
                "--out",
                directory.resolve("out").toString()));
        arguments.addAll(List.of(options));
        return Ran.inProcess(arguments.toArray(String[]::new));
    }

    @Test
    void examplesAreTheSamplesThatExplainGivesTheLargestValuesOf() throws IOException {
        assertThat(attribute("--no-report").code()).isZero();
        byte[] scores = Files.readAllBytes(directory.resolve("out/scores.csv"));
        Ran ran = attribute("--no-report", "--examples", "3", "--batch-size", "100");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("Examples: " + directory.resolve("out/examples.csv"));
        try (Stream<Path> files = Files.list(directory.resolve("out"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("scores.csv", "summary.json", "examples.csv");
        }
        assertThat(Files.readAllLines(directory.resolve("out/examples.csv")).get(0))
                .isEqualTo("layer,call,cluster,method,neuron,rank,sample,position,value");
        List<String[]> examples =
                Fixtures.rows(directory.resolve("out/examples.csv")).toList();
        assertThat(examples).hasSize(10 * 2 * 12 * 3);
        // Every neuron's value of every sample, as explain gives it.
        explained(
                "digits-cnn",
                "digits-images.npz",
                "--layer",
                "relu@1",
                "--method",
                "activation,gradient-x-activation",
                "--top",
                "12");
        Map<String, Double> values = new HashMap<>();
        rows().forEach(row -> values.put(row[0] + " " + row[3] + " " + row[4], Double.parseDouble(row[5])));
        long[] classes = new long[256];
        try (ArrayFile file = ArrayFile.open(Fixtures.path("digits-images.npz"))) {
            file.open("y").next(classes.length).asLongBuffer().get(classes);
        }
        for (String[] example : examples) {
            int sample = Integer.parseInt(example[6]);
            double value = Double.parseDouble(example[8]);
            assertThat(Long.toString(classes[sample])).isEqualTo(example[2]);
            assertThat(value).isCloseTo(values.get(sample + " " + example[3] + " " + example[4]), within(1e-5));
            long larger = 0;
            for (int i = 0; i < classes.length; i++) {
                if (classes[i] == classes[sample]
                        && values.get(i + " " + example[3] + " " + example[4]) > value + 1e-5) {
                    larger++;
                }
            }
            assertThat(larger).isLessThanOrEqualTo(Long.parseLong(example[5]));
            assertThat(Integer.parseInt(example[7])).isBetween(0, 63);
        }
        assertThat(attribute("--no-report", "--examples", "3").code()).isZero();
        assertThat(directory.resolve("out/scores.csv")).hasBinaryContent(scores);
        JsonNode summary = new ObjectMapper()
                .readTree(directory.resolve("out/summary.json").toFile());
        assertThat(summary.get("options").get("examples").intValue()).isEqualTo(3);
    }

    @Test
    void examplesAreRefusedWhereNobodyKnowsTheOrder() {
        attribute("--examples", "3", "--batches-at-once", "2")
                .assertRefused("--batches-at-once 2 cannot be: leave it out");
        attribute("--examples", "0").assertRefused("'0' is no number from 1");
    }
}
