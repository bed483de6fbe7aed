package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of many families as their users have them, in every form that they were saved in, against eager PyTorch. */
class FamiliesTest {
    /** What `layers` wants to know of the options. */
    private static final List<String> OF_INPUTS = List.of("--shared", "--inputs");

    /** Listed too, but no layer to those who wrote the truth: what weighs experts. */
    private static final String OF_WEIGHTS = "softmax";

    @TempDir
    private Path directory;

    static Stream<Arguments> models() {
        return Family.all()
                .flatMap(family -> family.models().stream().map(model -> Arguments.of(family, model.getFileName())));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("models")
    void layersAndScoresAreThoseOfPyTorch(Family family, Path model) {
        Ran ran = run(family, model, "layers", inputsOf(family), "--format", "csv");
        Map<String, Integer> neurons = new LinkedHashMap<>();
        ran.out()
                .lines()
                .skip(1)
                .map(line -> line.split(",", -1))
                .filter(row -> !row[2].equals(OF_WEIGHTS))
                .forEach(row -> neurons.put(row[0] + "@" + row[1], Integer.valueOf(row[4])));
        assertThat(neurons).isEqualTo(family.neurons());

        attribute(family, model, family.reaching(), family.scores());
        assertThat(family.differences(scores(), family.scores())).isEmpty();
    }

    /** Of one form: the others have the same graph. */
    static Stream<Family> families() {
        return Family.all();
    }

    @ParameterizedTest
    @MethodSource("families")
    void removalsAndPathsAreThoseOfPyTorch(Family family) {
        Path model = family.models().get(0).getFileName();
        attribute(family, model, List.of(family.singleLayer()), family.single());
        assertThat(family.differences(scores(), family.single())).isEmpty();

        run(
                family,
                model,
                "ablate",
                family.options(),
                "--layer",
                family.singleLayer(),
                "--method",
                "gradient-x-activation",
                "--aggregate",
                "mean",
                "--repeats",
                "1",
                "--out",
                directory.resolve("curve").toString());
        Map<String, Double> outputs = new LinkedHashMap<>();
        Fixtures.rows(directory.resolve("curve/curves.csv"))
                .filter(row -> row[3].equals("gradient-x-activation"))
                .forEach(row -> outputs.put(row[2] + "," + row[6], Double.valueOf(row[8])));
        List<JsonNode> curve = family.curve();
        double[] got = curve.stream()
                .mapToDouble(point -> outputs.get(point.get("cluster") + "," + point.get("removed")))
                .toArray();
        double[] truth = curve.stream()
                .mapToDouble(point -> point.get("mean_output").doubleValue())
                .toArray();
        assertThat(Family.relativeError(got, truth, 0)).isLessThanOrEqualTo(family.tolerance());
    }

    /** The comparison can fail: a truth that is a thousandth off, lacks a neuron, a row or a sample is not met. */
    @Test
    void wrongTruthsAreFound() {
        Family family = Family.of("wide-and-deep");
        attribute(family, family.models().get(0).getFileName(), family.reaching(), family.scores());
        assertThat(family.differences(scores(), family.scores())).isEmpty();
        assertThat(wrong(family, row -> bend((ArrayNode) row.get("mean"), 1.001)))
                .hasSize(1)
                .allMatch(text -> text.contains("is off by"));
        assertThat(wrong(family, row -> bend((ArrayNode) row.get("mean"), 1.000001)))
                .isEmpty();
        assertThat(wrong(family, row -> ((ArrayNode) row.get("mean")).remove(0)))
                .singleElement()
                .asString()
                .endsWith("is off by Infinity");
        assertThat(wrong(family, row -> ((ObjectNode) row).put("count", 4)))
                .singleElement()
                .asString()
                .endsWith("has other counts than 4");
        assertThat(wrong(family, row -> ((ObjectNode) row).put("cluster", 7))).hasSize(2);
        assertThat(family.differences(
                        scores(), family.scores().subList(1, family.scores().size())))
                .singleElement()
                .asString()
                .endsWith("is not in the truth");
    }

    /** Differences from a truth whose first row is changed. */
    private List<String> wrong(Family family, Consumer<JsonNode> change) {
        List<JsonNode> truth = new ArrayList<>(family.scores());
        truth.set(0, truth.get(0).deepCopy());
        change.accept(truth.get(0));
        return family.differences(scores(), truth);
    }

    private static void bend(ArrayNode numbers, double factor) {
        for (int i = 0; i < numbers.size(); i++) {
            numbers.set(i, DoubleNode.valueOf(factor * numbers.get(i).doubleValue()));
        }
    }

    private static List<String> inputsOf(Family family) {
        List<String> options = family.options();
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < options.size(); i++) {
            if (OF_INPUTS.contains(options.get(i))) {
                kept.addAll(options.subList(i, i + 2));
            }
        }
        return kept;
    }

    private void attribute(Family family, Path model, List<String> layers, List<JsonNode> truth) {
        List<String> options = new ArrayList<>(family.options());
        options.add("--layer");
        options.addAll(layers);
        run(
                family,
                model,
                "attribute",
                options,
                "--method",
                String.join(",", Family.methods(truth)),
                "--out",
                directory.resolve("out").toString());
    }

    private static Ran run(Family family, Path model, String command, List<String> options, String... more) {
        List<String> words = new ArrayList<>(List.of(
                command,
                "--model",
                Fixtures.text("families/" + model),
                "--data",
                family.data().toString()));
        words.addAll(options);
        words.addAll(List.of(more));
        Ran ran = Ran.inProcess(words.toArray(String[]::new));
        assertThat(ran.code()).as(ran.err()).isZero();
        return ran;
    }

    private Path scores() {
        return directory.resolve("out/scores.csv");
    }
}
