package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.data.TestNpz;

/** How sure the command says that it is, and clusters that have names or are found. */
class CertaintyTest {
    private static final int SAMPLES = 60;
    private static final int FEATURES = 64;
    private static final String[] NAMES = {"cat", "=dog", "größe"};

    @TempDir
    private Path directory;

    @Test
    void columnsStandThereOnlyWhereTheyAreAskedFor() throws IOException {
        Path data = numbered();
        attribute(data);
        List<String> plain = scores();
        attribute(data, "--standard-errors", "--against", "1");
        List<String> more = scores();
        assertThat(more.get(0)).isEqualTo(plain.get(0) + ",standard_error,difference,low,high,q");
        for (int row = 0; row < plain.size(); row++) {
            assertThat(more.get(row)).startsWith(plain.get(row));
        }
    }

    @Test
    void differencesAreThoseOfTheColumnsBeside() throws IOException {
        Ran ran = attribute(numbered(), "--standard-errors", "--against", "1");
        List<String[]> own = rows("0");
        List<String[]> other = rows("1");
        int found = 0;
        for (int neuron = 0; neuron < own.size(); neuron++) {
            String[] cells = own.get(neuron);
            double mean = Double.parseDouble(cells[6]);
            double deviation = Double.parseDouble(cells[9]);
            double error = Double.parseDouble(cells[11]);
            assertThat(error).isCloseTo(deviation / Math.sqrt(Double.parseDouble(cells[5]) - 1), within(1e-12));
            double difference = Double.parseDouble(cells[12]);
            assertThat(difference).isCloseTo(mean - Double.parseDouble(other.get(neuron)[6]), within(1e-12));
            assertThat(Double.parseDouble(cells[13])).isLessThanOrEqualTo(difference);
            assertThat(Double.parseDouble(cells[14])).isGreaterThanOrEqualTo(difference);
            assertThat(Double.parseDouble(cells[15])).isBetween(0.0, 1.0);
            found += Double.parseDouble(cells[15]) <= 0.05 ? 1 : 0;
            assertThat(Arrays.copyOfRange(other.get(neuron), 12, 16)).containsOnly("");
        }
        assertThat(ran.out()).contains(found + " of 64");
    }

    @Test
    void aClusterThatIsNoneIsNamed() throws IOException {
        Path data = numbered();
        assertThat(refused(data, "--against", "7"))
                .isEqualTo("pregrad: there is no cluster 7 for --against in data file " + data + "; it has 0, 1, 2\n");
        assertThat(refused(data, "--against", "cat")).contains("--against cat is no cluster");
        assertThat(refused(data, "--against", "1", "--aggregate", "rms")).contains("mean or mean_abs");
    }

    @Test
    void clustersAndLabelsMayBeText() throws IOException {
        attribute(numbered());
        List<String> numbers = scores();
        Path named = named(
                "digit0", "digit1", "digit2", "digit3", "digit4", "digit5", "digit6", "digit7", "digit8", "digit9");
        Ran ran = attribute(named, "--against", "=dog");
        assertThat(ran.out()).contains("größe").contains("minus that of cluster =dog");
        List<String> names = scores();
        // In alphabetical order the names are 1, 0, 2; each has the numbers' scores.
        for (int cluster = 0; cluster < NAMES.length; cluster++) {
            String number = "act2,0," + cluster + ",gradient,5,";
            String name = "act2,0," + NAMES[cluster].replace("=dog", "'=dog") + ",gradient,5,";
            String expected = numbers.stream()
                    .filter(row -> row.startsWith(number))
                    .findFirst()
                    .orElseThrow();
            String seen = names.stream()
                    .filter(row -> row.startsWith(name))
                    .findFirst()
                    .orElseThrow();
            assertThat(seen.substring(name.length())).startsWith(expected.substring(number.length()));
        }
        assertThat(summary().path("scores").findValuesAsText("cluster")).containsExactly("=dog", "cat", "größe");
        Path page = directory.resolve("out/report.html");
        byte[] drawn = Files.readAllBytes(page);
        Files.delete(page);
        assertThat(Ran.inProcess("report", "--from", directory.resolve("out").toString())
                        .code())
                .isZero();
        assertThat(page).hasBinaryContent(drawn).content().contains("cluster größe");
    }

    @Test
    void labelsThatNobodyKnowsAreNamed() throws IOException {
        assertThat(refused(named())).contains("--label-names");
        assertThat(refused(named(), "--label-names", "digit0,digit1"))
                .contains("has label 'digit")
                .contains("digit0");
        assertThat(refused(named(), "--label-names", "digit0,digit0")).contains("'digit0' twice");
    }

    @Test
    void clustersAreFoundAndFoundAgain() throws IOException {
        Path data = numbered();
        attribute(data, "--clusters", "kmeans:4@act2");
        byte[] clusters = Files.readAllBytes(directory.resolve("out/clusters.csv"));
        List<String> lines = Files.readAllLines(directory.resolve("out/clusters.csv"));
        assertThat(lines).hasSize(SAMPLES + 1).startsWith("sample,cluster", "0,0");
        Set<String> found = new HashSet<>();
        lines.stream().skip(1).forEach(line -> found.add(line.substring(line.indexOf(',') + 1)));
        assertThat(found).containsExactlyInAnyOrder("0", "1", "2", "3");
        assertThat(summary().path("options").path("clusters").asText()).isEqualTo("kmeans:4@act2");
        attribute(data, "--clusters", "kmeans:4@act2", "--batch-size", "7");
        assertThat(directory.resolve("out/clusters.csv")).hasBinaryContent(clusters);
        attribute(data, "--clusters", "kmeans:3@inputs");
        assertThat(refused(data, "--clusters", "kmeans:0@act2")).contains("kmeans:8@relu");
        assertThat(refused(data, "--clusters", "kmeans:99@act2")).contains("99 clusters of 60 samples");
    }

    @Test
    void samplesThatAreApartAreClustersOfTheirOwn() throws IOException {
        float[] x = new float[SAMPLES * FEATURES];
        long[] truth = new long[SAMPLES];
        Random random = new Random(3);
        for (int sample = 0; sample < SAMPLES; sample++) {
            truth[sample] = sample % 3;
            for (int feature = 0; feature < FEATURES; feature++) {
                x[sample * FEATURES + feature] = 10 * truth[sample] + random.nextFloat();
            }
        }
        Path data = new TestNpz()
                .floats("x", "(60, 64)", x)
                .longs("y", "(60,)", new long[SAMPLES])
                .write(directory.resolve("apart.npz"));
        attribute(data, "--clusters", "kmeans:3@inputs");
        List<String> lines = Files.readAllLines(directory.resolve("out/clusters.csv"));
        for (int sample = 0; sample < SAMPLES; sample++) {
            assertThat(lines.get(sample + 1)).isEqualTo(sample + "," + truth[sample]);
        }
    }

    @Test
    void selectivityIsThatOfPairs() throws IOException {
        attribute(numbered(), "--selectivity", "--method", "activation");
        List<String> lines = Files.readAllLines(directory.resolve("out/selectivity.csv"));
        assertThat(lines.get(0)).isEqualTo("layer,call,cluster,neuron,auroc,entropy");
        assertThat(lines).hasSize(1 + NAMES.length * 64);
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split(",", -1);
            assertThat(Double.parseDouble(cells[4])).isBetween(0.0, 1.0);
            if (!cells[5].isEmpty()) {
                assertThat(Double.parseDouble(cells[5])).isBetween(0.0, Math.log(3) + 1e-12);
            }
        }
    }

    @Test
    void keptNeuronsAndShuffledWeightsStandInTheFiles() throws IOException {
        Path out = directory.resolve("out");
        Ran ran = Ran.inProcess(
                "ablate",
                "--model",
                Fixtures.text("digits-mlp.scripted.pt"),
                "--data",
                numbered().toString(),
                "--layer",
                "act2",
                "--method",
                "gradient",
                "--repeats",
                "3",
                "--keep",
                "--sanity",
                "--out",
                out.toString());
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("(kept)").contains("it looks at no weight");
        List<String> curves = Files.readAllLines(out.resolve("curves.csv"));
        assertThat(curves.get(0)).contains("repeat,curve,removed,");
        String removed = curves.stream()
                .filter(row -> row.contains(",mean,0,remove,0,"))
                .findFirst()
                .orElseThrow();
        String kept = curves.stream()
                .filter(row -> row.contains(",mean,0,keep,0,"))
                .findFirst()
                .orElseThrow();
        String[] ofKept = kept.split(",", -1);
        String[] ofRemoved = removed.split(",", -1);
        for (int column = 8; column < ofKept.length; column++) {
            assertThat(Double.parseDouble(ofKept[column]))
                    .isCloseTo(Double.parseDouble(ofRemoved[column]), within(1e-5));
        }
        for (JsonNode entry : summary().path("sanity")) {
            assertThat(entry.path("verdict").asText())
                    .isEqualTo(entry.path("method").asText().equals("random") ? "kept" : "destroyed");
        }
        for (JsonNode entry : summary().path("curves")) {
            if (!entry.path("method").asText().equals("random")) {
                assertThat(entry.path("area").asDouble())
                        .isBetween(
                                entry.path("area_low").asDouble(),
                                entry.path("area_high").asDouble());
            }
        }
        assertThat(Ran.inProcess("report", "--from", out.toString()).code()).isZero();
    }

    private TestNpz samples() {
        float[] x = new float[SAMPLES * FEATURES];
        Random random = new Random(1);
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextFloat();
        }
        return new TestNpz().floats("x", "(60, 64)", x);
    }

    private Path numbered() throws IOException {
        long[] y = new long[SAMPLES];
        long[] clusters = new long[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            y[i] = i % 10;
            clusters[i] = i % 3;
        }
        return samples()
                .longs("y", "(60,)", y)
                .longs("cluster", "(60,)", clusters)
                .write(directory.resolve("numbered.npz"));
    }

    /** The same with text. */
    private Path named(String... labelNames) throws IOException {
        String[] y = new String[SAMPLES];
        String[] clusters = new String[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            y[i] = "digit" + i % 10;
            clusters[i] = NAMES[i % 3];
        }
        TestNpz npz = samples()
                .array("y", "<U6", "(60,)", characters(6, y))
                .array("cluster", "<U5", "(60,)", characters(5, clusters));
        if (labelNames.length > 0) {
            npz.array("label_names", "<U6", "(" + labelNames.length + ",)", characters(6, labelNames));
        }
        return npz.write(directory.resolve("named.npz"));
    }

    private static byte[] characters(int room, String... texts) {
        return TestNpz.little(4 * room * texts.length, to -> put(to, room, texts));
    }

    private static void put(ByteBuffer to, int room, String... texts) {
        for (int text = 0; text < texts.length; text++) {
            for (int place = 0; place < texts[text].length(); place++) {
                to.putInt(4 * (text * room + place), texts[text].charAt(place));
            }
        }
    }

    private Ran attribute(Path data, String... options) {
        Ran ran = run(data, options);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return ran;
    }

    private String refused(Path data, String... options) {
        Ran ran = run(data, options);
        assertThat(ran.code()).isNotZero();
        return ran.err();
    }

    private Ran run(Path data, String... options) {
        List<String> arguments = new ArrayList<>(List.of(
                "attribute",
                "--model",
                Fixtures.text("digits-mlp.scripted.pt"),
                "--data",
                data.toString(),
                "--layer",
                "act2",
                "--out",
                directory.resolve("out").toString()));
        arguments.addAll(List.of(options));
        return Ran.inProcess(arguments.toArray(String[]::new));
    }

    private List<String> scores() throws IOException {
        return Files.readAllLines(directory.resolve("out/scores.csv"));
    }

    private List<String[]> rows(String cluster) throws IOException {
        return scores().stream()
                .map(row -> row.split(",", -1))
                .filter(cells -> cells[2].equals(cluster))
                .toList();
    }

    private JsonNode summary() throws IOException {
        return new ObjectMapper().readTree(Files.readString(directory.resolve("out/summary.json")));
    }
}
