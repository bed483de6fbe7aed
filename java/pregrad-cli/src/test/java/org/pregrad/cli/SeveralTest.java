package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayReader;
import org.pregrad.data.TestNpz;

/** Models of several inputs and outputs, of outputs with positions, and of padded sequences. */
class SeveralTest {
    private static final String TWO_INPUTS = "two-inputs";
    private static final int MOST_NEURONS = 256;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "two-inputs | label | ''",
                "two-inputs | difference-2-0 | --target 2-0",
                "two-inputs | weights | --target weights --labels weights",
                "two-inputs | multi-label-probability | --multi-label --output probability",
                "tagger | labels | --labels tags",
                "tagger | labels-masked | --labels tags --mask attention_mask",
                "tagger | log-probability | --labels tags --mask attention_mask --output log-probability",
                "tagger | last | --at last --mask attention_mask",
                "tagger | first | --at first --mask attention_mask",
                "tagger | each | --at each --mask attention_mask",
                "tagger | mean | --at mean --mask attention_mask",
                "tagger | index-1 | --at 1",
                "tagger | pooled-3 | --output-name pooled --target 3 --mask attention_mask",
                "bert | label | ''",
                "bert | label-masked | --mask attention_mask",
            })
    void scoresMeetThoseOfPyTorch(String model, String variant, String options) {
        List<String[]> truth = Fixtures.rows(Fixtures.path("golden/several.csv"))
                .filter(row -> row[0].equals(model) && row[1].equals(variant))
                .map(row -> Arrays.copyOfRange(row, 2, row.length))
                .toList();
        List<String> more = new ArrayList<>(List.of("--layer"));
        truth.stream().map(row -> row[0]).distinct().forEach(more::add);
        more.add("--method");
        truth.stream().map(row -> row[3]).distinct().forEach(more::add);
        more.addAll(words(options));
        // Less than all, so that every array is cut.
        more.addAll(List.of("--batch-size", "7"));
        succeed("attribute", model, more);
        meets(groups(Fixtures.rows(scores()).toList()), groups(truth));
    }

    @Test
    void scoresOfEachPositionAddUpToThoseOfPyTorch() throws IOException {
        List<String> options =
                List.of("--layer", "all", "--mask", "attention_mask", "--positions", "each", "--batch-size", "5");
        succeed("attribute", "bert", options);
        assertThat(Files.readAllLines(scores()).get(0))
                .isEqualTo("layer,call,cluster,method,position,neuron,count,mean,mean_abs,rms,std,cancellation");
        Map<String, double[]> sums = new LinkedHashMap<>();
        Fixtures.rows(scores())
                .forEach(row ->
                        sums.computeIfAbsent(String.join(",", Arrays.copyOf(row, 4)), name -> new double[MOST_NEURONS])[
                                        Integer.parseInt(row[5])] +=
                                Double.parseDouble(row[7]) * Long.parseLong(row[6]));
        List<String[]> truth = Fixtures.rows(Fixtures.path("golden/several.csv"))
                .filter(row -> row[0].equals("bert") && row[1].equals("label-masked") && row[5].equals("gradient"))
                .map(row -> Arrays.copyOfRange(row, 2, row.length))
                .toList();
        assertThat(truth).isNotEmpty();
        for (String[] row : truth) {
            String key = String.join(",", Arrays.copyOf(row, 4));
            double expected = Double.parseDouble(row[6]);
            assertThat(sums.get(key)[Integer.parseInt(row[4])] / Long.parseLong(row[5]))
                    .as(key)
                    .isCloseTo(expected, within(1e-5 * Math.max(1, Math.abs(expected))));
        }
        JsonNode summary = new ObjectMapper()
                .readTree(directory.resolve("out/summary.json").toFile());
        assertThat(summary.at("/options/positions").asText()).isEqualTo("each");
        assertThat(summary.get("scores")).hasSameSizeAs(sums.keySet());
        JsonNode entry = summary.at("/scores/0");
        assertThat(entry.get("positions").asInt()).isGreaterThan(1);
        assertThat(entry.at("/top/mean/0/position").isIntegralNumber()).isTrue();
        // The page is drawn, and is that of the files.
        byte[] page = Files.readAllBytes(directory.resolve("out/report.html"));
        Ran ran = Ran.inProcess("report", "--from", directory.resolve("out").toString(), "--quiet");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(directory.resolve("out/report.html")).hasBinaryContent(page);
    }

    @Test
    void removalHasNoPositions() {
        String out = directory.resolve("out").toString();
        Ran.inProcess(arguments(
                        "ablate", "bert", data("bert"), List.of("--layer", "all", "--positions", "each", "--out", out)))
                .assertRefused("--positions each has no removal curves");
    }

    @Test
    void namesOfArraysNeedNotBeThoseOfInputs() throws IOException {
        succeed("attribute", TWO_INPUTS, List.of("--layer", "act1"));
        byte[] scores = Files.readAllBytes(scores());
        Path renamed = twoInputs("images", "extra").write(directory.resolve("renamed.npz"));
        Ran.inProcess(attribute(TWO_INPUTS, renamed))
                .assertRefused("there is no array for the model's input 'x'; it holds images, extra, y, cluster");
        Ran ran = Ran.inProcess(attribute(TWO_INPUTS, renamed, "--inputs", "x=images,side=extra"));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(scores()).hasBinaryContent(scores);
        assertThat(options().get("inputs").toString()).isEqualTo("[\"x=images\",\"side=extra\"]");
    }

    @Test
    void saysWhichInputLacksAnArray() throws IOException {
        Path half = new TestNpz()
                .floats("x", "(1, 6)", new float[6])
                .longs("y", "(1,)", 0)
                .write(directory.resolve("h"));
        Ran.inProcess(attribute(TWO_INPUTS, half))
                .assertRefused(
                        "there is no array for the model's input 'side'; it holds x, y",
                        "name one by --inputs side=ARRAY");
        Ran.inProcess(attribute(TWO_INPUTS, data(TWO_INPUTS), "--inputs", "x,sid"))
                .assertRefused("the model has no input 'sid'; it has x, side");
        Ran.inProcess(attribute(TWO_INPUTS, data(TWO_INPUTS), "--shared", "edges"))
                .assertRefused("--shared names 'edges', which is no input that is given; those are x, side");
        Path uneven = new TestNpz()
                .floats("x", "(2, 6)", new float[12])
                .floats("side", "(1, 4)", new float[4])
                .longs("y", "(2,)", 0, 0)
                .write(directory.resolve("u"));
        Ran.inProcess(attribute(TWO_INPUTS, uneven))
                .assertRefused("'side' has 1 samples (shape 1x4), but 'x' has 2 (shape 2x6)");
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void refusesLabelsOfPositionsWhereThereAreNone() {
        Ran.inProcess(attribute("tagger", data("tagger"), "--output-name", "pooled", "--labels", "tags"))
                .assertRefused("array 'tags' has shape 10x5", "output 'pooled'", "has no positions");
    }

    /** Following the advice leads to scores. */
    @Test
    void saysWhatToDoWithALabelForEachOutput() throws IOException {
        long[] tags = {
            1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1
        };
        Path labels = twoInputs("x", "side").longs("tags", "(12, 3)", tags).write(directory.resolve("labels.npz"));
        String[] withTags = {"--labels", "tags", "--multi-label"};
        Ran.inProcess(attribute(TWO_INPUTS, labels, withTags))
                .assertRefused(
                        "array 'tags' has shape 12x3",
                        "give --target weights, and save them as tags.astype(np.float32)");
        Ran truth = Ran.inProcess(arguments(
                "ablate",
                TWO_INPUTS,
                labels,
                List.of("--layer", "act1", "--target", "predicted", "--labels", "tags", "--out", "none")));
        truth.assertRefused("array 'tags' has shape 12x3", "; save one integer per sample");
        assertThat(truth.err()).doesNotContain("weights", "ravel");

        float[] numbers = new float[tags.length];
        for (int i = 0; i < tags.length; i++) {
            numbers[i] = tags[i];
        }
        Path weights = twoInputs("x", "side").floats("tags", "(12, 3)", numbers).write(directory.resolve("w.npz"));
        Ran.inProcess(attribute(TWO_INPUTS, weights, withTags))
                .assertRefused(
                        "array 'tags' holds float32, but labels are integers; save it as tags.astype(np.int64), or give"
                                + " --target weights if it holds a number for each output");
        Ran ran = Ran.inProcess(
                attribute(TWO_INPUTS, weights, "--labels", "tags", "--multi-label", "--target", "weights"));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();

        Path column =
                twoInputs("x", "side").longs("tags", "(12, 1)", new long[12]).write(directory.resolve("c.npz"));
        Ran.inProcess(attribute(TWO_INPUTS, column, withTags))
                .assertRefused("; save it with one axis, e.g. tags.ravel()");
    }

    @Test
    void summariesTellOfNewOptionsWhereTheyAreGiven() throws IOException {
        succeed("attribute", TWO_INPUTS, List.of("--layer", "act1"));
        assertThat(options().get("inputs").toString()).isEqualTo("[\"x\",\"side\"]");
        for (String added : List.of("shared", "output_name", "class_axis", "at", "multi_label", "mask")) {
            assertThat(options().has(added)).as(added).isFalse();
        }
        succeed("attribute", "tagger", words("--layer act --at last --mask attention_mask --class-axis 2"));
        assertThat(options().get("at").textValue()).isEqualTo("last");
        assertThat(options().get("mask").textValue()).isEqualTo("attention_mask");
        assertThat(options().get("class_axis").intValue()).isEqualTo(2);
    }

    @Test
    void pathsOfInputsWithoutABaselineStartAtZero() throws IOException {
        List<String> conductance = List.of("--layer", "act1", "--method", "conductance", "--steps", "5");
        succeed("attribute", TWO_INPUTS, conductance);
        byte[] scores = Files.readAllBytes(scores());
        Path zeros = new TestNpz().floats("side", "(4,)", new float[4]).write(directory.resolve("zeros.npz"));
        List<String> given = new ArrayList<>(conductance);
        given.addAll(List.of("--input-baseline", zeros.toString()));
        succeed("attribute", TWO_INPUTS, given);
        assertThat(scores()).hasBinaryContent(scores);
        Path other = new TestNpz().floats("z", "(4,)", new float[4]).write(zeros);
        Ran.inProcess(attribute(
                        TWO_INPUTS, data(TWO_INPUTS), "--method", "conductance", "--input-baseline", other.toString()))
                .assertRefused("no array bears the name of an input; it holds z; save one sample as one of x, side");
    }

    @Test
    void pathsOfTokensStartAtTheirBaseline() throws IOException {
        List<String> conductance = List.of("--layer", "input:input_ids", "--method", "conductance", "--steps", "5");
        succeed("attribute", "bert", conductance);
        byte[] fromZero = Files.readAllBytes(scores());
        Path tokens = new TestNpz().longs("input_ids", "(6,)", 3, 1, 4, 1, 5, 9).write(directory.resolve("tokens.npz"));
        List<String> given = new ArrayList<>(conductance);
        given.addAll(List.of("--input-baseline", tokens.toString()));
        succeed("attribute", "bert", given);
        assertThat(Files.readAllBytes(scores())).isNotEqualTo(fromZero);
        Path halves = new TestNpz()
                .floats("input_ids", "(6,)", new float[] {1, 2, 0.5f, 1, 1, 1})
                .write(tokens);
        Ran.inProcess(attribute("bert", data("bert"), "--method", "conductance", "--input-baseline", halves.toString()))
                .assertRefused("array 'input_ids' holds 0.5, and the data's inputs are whole numbers");
    }

    @Test
    void allLayersAreInputsToo() {
        Ran all = Ran.inProcess(arguments("layers", TWO_INPUTS, data(TWO_INPUTS), List.of("--all", "--format", "csv")));
        assertThat(all.code()).isZero();
        assertThat(all.out())
                .contains("\ninput:x,0,input,")
                .contains("\ninput:side,0,input,")
                .contains("\nact1,0,relu,");
    }

    @Test
    void curvesBeginAtTheModelsOwnAccuracy() {
        for (String target : List.of("label", "predicted")) {
            succeed("ablate", TWO_INPUTS, List.of("--layer", "act1", "--repeats", "1", "--target", target));
            double accuracy = Fixtures.rows(directory.resolve("out/curves.csv"))
                    .filter(row -> row[3].equals("ablation") && row[4].equals("mean") && row[6].equals("0"))
                    .mapToDouble(row -> Double.parseDouble(row[7]))
                    .average()
                    .orElseThrow();
            // Both clusters have as many samples.
            assertThat(accuracy).isEqualTo(0.25);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tagger | --layer act --at last --mask attention_mask --target predicted",
                "tagger | --layer act --labels tags --mask attention_mask",
                "bert | --layer layers.0.mlp.act --mask attention_mask",
            })
    void neuronsAreRemovedAtPositionsThatCount(String model, String options) {
        List<String> more = new ArrayList<>(words(options));
        more.addAll(List.of("--repeats", "1"));
        succeed("ablate", model, more);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "two-inputs | --layer act1 act2",
                "tagger | --layer act --at mean --mask attention_mask",
                "tagger | --layer act --labels tags",
                "bert | --layer all --mask attention_mask",
            })
    void gradientsPassTheCheck(String model, String options) {
        Ran ran = Ran.inProcess(arguments("check", model, data(model), words(options)));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).as(ran.out()).isZero();
    }

    @Test
    void layersTellsWhatGoesInAndOutAndWhatOthersNeed() {
        Ran data = Ran.inProcess(arguments("layers", "tagger", data("tagger"), List.of()));
        assertThat(data.code()).isZero();
        assertThat(data.out())
                .containsPattern("\ninput +type +shape +optional\ntokens +int64 +\\?x5 +false\nattention_mask +int64 ")
                .containsPattern("\noutput +shape\nlogits +\\?x5x3\npooled +\\?x");
        assertThat(data.err())
                .isEqualTo("pregrad: output 'logits' (shape ?x5x3) has positions: give --at to the other commands, or"
                        + " labels of the shape [samples, positions]\n");
        assertThat(Ran.inProcess(arguments("layers", "tagger", data("tagger"), List.of("--quiet")))
                        .err())
                .isEmpty();
        Ran alone = Ran.inProcess("layers", "--model", model(TWO_INPUTS));
        assertThat(alone.code()).isZero();
        assertThat(alone.out()).containsPattern("\nx +float32 +\\?x6 +false\nside +float32 +\\?x4 +false\n");
        assertThat(alone.err()).contains("--inputs x=ARRAY,...");
        Ran.inProcess("layers", "--model", model(TWO_INPUTS), "--input-shape", "1,6")
                .assertRefused("--input-shape is the shape of one input, and the model takes x, side; give --data");
    }

    /** Every number within the tolerance of the truth, measured by the size of what is averaged. */
    private static void meets(Map<String, List<double[]>> scores, Map<String, List<double[]>> truth) {
        assertThat(scores.keySet()).isEqualTo(truth.keySet());
        truth.forEach((group, rows) -> {
            int rms = 2;
            double size = Math.sqrt(
                    rows.stream().mapToDouble(row -> row[rms] * row[rms]).sum());
            for (int aggregate = 0; aggregate < rows.get(0).length; aggregate++) {
                double error = 0;
                for (int neuron = 0; neuron < rows.size(); neuron++) {
                    error += Math.pow(scores.get(group).get(neuron)[aggregate] - rows.get(neuron)[aggregate], 2);
                }
                assertThat(Math.sqrt(error)).as(group).isLessThanOrEqualTo(Fixtures.OF_GOLDEN_VALUES * size);
            }
        });
    }

    /** Per layer, call, cluster and method the aggregates of each neuron. */
    private static Map<String, List<double[]>> groups(List<String[]> rows) {
        int neuron = 4;
        int firstAggregate = 6;
        int aggregates = 4;
        Map<String, List<double[]>> groups = new LinkedHashMap<>();
        for (String[] row : rows) {
            groups.computeIfAbsent(String.join(",", Arrays.copyOf(row, neuron)), name -> new ArrayList<>())
                    .add(Arrays.stream(row, firstAggregate, firstAggregate + aggregates)
                            .mapToDouble(Double::parseDouble)
                            .toArray());
        }
        return groups;
    }

    /** The data of that model with other names of its inputs. */
    private static TestNpz twoInputs(String x, String side) throws IOException {
        try (ArrayFile file = ArrayFile.open(data(TWO_INPUTS));
                ArrayReader y = file.open("y");
                ArrayReader cluster = file.open("cluster")) {
            return new TestNpz()
                    .floats(x, "(12, 6)", floats(file, "x"))
                    .floats(side, "(12, 4)", floats(file, "side"))
                    .longs("y", "(12,)", longs(y))
                    .longs("cluster", "(12,)", longs(cluster));
        }
    }

    private static float[] floats(ArrayFile file, String name) throws IOException {
        try (ArrayReader reader = file.open(name)) {
            FloatBuffer values = reader.next((int) reader.elements()).asFloatBuffer();
            float[] floats = new float[values.remaining()];
            values.get(floats);
            return floats;
        }
    }

    private static long[] longs(ArrayReader reader) throws IOException {
        long[] longs = new long[(int) reader.elements()];
        reader.next(longs.length).asLongBuffer().get(longs);
        return longs;
    }

    private static List<String> words(String options) {
        return options.isEmpty() ? List.of() : List.of(options.split(" ", -1));
    }

    private static String model(String name) {
        return Fixtures.text("several/" + name + ".exported.pt2");
    }

    private static Path data(String name) {
        return Fixtures.path("several/" + name + ".npz");
    }

    private Path scores() {
        return directory.resolve("out/scores.csv");
    }

    private JsonNode options() throws IOException {
        return new ObjectMapper()
                .readTree(directory.resolve("out/summary.json").toFile())
                .get("options");
    }

    private String[] attribute(String model, Path data, String... more) {
        List<String> all = new ArrayList<>(List.of(
                "--layer",
                model.equals(TWO_INPUTS) ? "act1" : "all",
                "--out",
                directory.resolve("out").toString()));
        all.addAll(List.of(more));
        return arguments("attribute", model, data, all);
    }

    private static String[] arguments(String command, String model, Path data, List<String> more) {
        return Stream.concat(Stream.of(command, "--model", model(model), "--data", data.toString()), more.stream())
                .toArray(String[]::new);
    }

    private void succeed(String command, String model, List<String> more) {
        List<String> all = new ArrayList<>(more);
        all.addAll(List.of("--out", directory.resolve("out").toString()));
        Ran ran = Ran.inProcess(arguments(command, model, data(model), all));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
    }
}
