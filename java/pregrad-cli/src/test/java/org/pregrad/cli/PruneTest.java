package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.Model;

/** What prune writes and prints. */
class PruneTest {
    private static final String CNN = "digits-cnn.exported.pt2";

    @TempDir
    private Path directory;

    @Test
    void halfTheChannelsByTheirScoresAreBetterThanHalfAtRandom() throws IOException {
        Ran ran = prune(CNN, "scored", "--layer", "all", "--method", "gradient-x-centred-activation");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("multiply_adds", "pruned.pt2");
        JsonNode plan = json("scored", "plan.json");
        assertThat(plan.get("closed").booleanValue()).isTrue();
        assertThat(plan.get("layers")).hasSize(2);
        for (JsonNode layer : plan.get("layers")) {
            assertThat(layer.get("layer").textValue()).isEqualTo("relu");
            assertThat(layer.get("pruned").size()).isEqualTo(layer.get("kept").size());
        }
        JsonNode figures = plan.get("figures");
        assertThat(figures.get("difference").doubleValue()).isLessThan(1e-5);
        assertThat(figures.get("pruned_accuracy")).isEqualTo(figures.get("accuracy_at_zero"));
        assertThat(figures.get("pruned_multiply_adds").longValue())
                .isLessThan(figures.get("multiply_adds").longValue() / 2);
        assertThat(json("scored", "summary.json").get("pruning")).isEqualTo(figures);

        double random = 0;
        List<String> seeds = List.of("0", "1", "2", "3", "4");
        for (String seed : seeds) {
            String out = "random" + seed;
            assertThat(prune(CNN, out, "--layer", "all", "--method", "random", "--seed", seed)
                            .code())
                    .isZero();
            random +=
                    json(out, "plan.json").get("figures").get("pruned_accuracy").doubleValue() / seeds.size();
        }
        assertThat(figures.get("pruned_accuracy").doubleValue()).isGreaterThan(random);
    }

    @Test
    void aPlanGoesInAgain() throws IOException {
        assertThat(prune(CNN, "first", "--layer", "relu@1", "--keep", "3").code())
                .isZero();
        Path plan = directory.resolve("first/plan.json");
        Ran ran = prune(CNN, "second", "--neurons", plan.toString());
        assertThat(ran.err()).isEmpty();
        assertThat(json("second", "plan.json").get("weights"))
                .isEqualTo(json("first", "plan.json").get("weights"));
        try (Model smaller = Model.load(directory.resolve("second/pruned.pt2"))) {
            assertThat(smaller.layers(new long[] {1, 1, 8, 8}).get(1).neurons()).isEqualTo(3);
        }
    }

    @Test
    void ofTorchScriptThereAreWeightsAndNoFile() throws IOException {
        Ran ran = prune("digits-cnn.traced.pt", "script", "--layer", "all", "--quiet");
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).isEmpty();
        assertThat(directory.resolve("script/pruned.pt2")).doesNotExist();
        JsonNode plan = json("script", "plan.json");
        assertThat(plan.get("not_exported").textValue()).contains("TorchScript");
        byte[] weights = Files.readAllBytes(directory.resolve("script/pruned.safetensors"));
        JsonNode header = new ObjectMapper().readTree(weights, Long.BYTES, weights[0] + 256 * (weights[1] & 255));
        for (JsonNode cut : plan.get("weights")) {
            assertThat(header.get(cut.get("weight").textValue()).get("shape")).isEqualTo(cut.get("pruned_shape"));
        }
    }

    @Test
    void anOpenPlanSaysWhyAndKeepsTheMask() throws IOException {
        Ran ran = pruneOn(
                "pre-activation-residual.npz",
                "pre-activation-residual.exported.pt2",
                "refused-to-close",
                "--layer",
                "all");
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).contains("no weight was cut, as operator");
        JsonNode plan = json("refused-to-close", "plan.json");
        assertThat(plan.get("closed").booleanValue()).isFalse();
        assertThat(plan.get("open").textValue()).contains("operator");
        assertThat(plan.get("weights")).isEmpty();
        assertThat(plan.get("layers").get(0).get("pruned")).isNotEmpty();
        assertThat(directory.resolve("refused-to-close/pruned.safetensors")).doesNotExist();
    }

    @Test
    void whatDoesNotFitIsOneLine() throws IOException {
        prune(CNN, "none").assertRefused("--layer", "--neurons");
        prune(CNN, "none", "--layer", "all", "--share", "1").assertRefused("--share is 1.0");
        prune(CNN, "none", "--layer", "all", "--share", "0.5", "--keep", "2").assertRefused("--share and --keep");
        prune(CNN, "none", "--layer", "all", "--keep", "1000").assertRefused("1000 are to stay");
        prune(CNN, "none", "--layer", "all", "--neurons", "x.json").assertRefused("leave --layer out");
        prune(CNN, "none", "--neurons", directory.resolve("x.json").toString()).assertRefused("x.json");
        Path file = directory.resolve("neurons.json");
        Files.writeString(file, "[{\"layer\": \"relu\", \"pruned\": [1.5]}]");
        prune(CNN, "none", "--neurons", file.toString()).assertRefused("1.5");
        Files.writeString(file, "[{\"layer\": \"relu\", \"call\": 0, \"pruned\": [99]}]");
        prune(CNN, "none", "--neurons", file.toString()).assertRefused("no neuron 99");
        assertThat(directory.resolve("none")).doesNotExist();
    }

    private Ran prune(String model, String out, String... more) {
        return pruneOn("digits-images.npz", model, out, more);
    }

    private Ran pruneOn(String data, String model, String out, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "prune",
                "--model",
                Fixtures.text(model),
                "--data",
                Fixtures.text(data),
                "--out",
                directory.resolve(out).toString()));
        arguments.addAll(List.of(more));
        return Ran.inProcess(arguments.toArray(String[]::new));
    }

    private JsonNode json(String out, String file) throws IOException {
        return new ObjectMapper().readTree(directory.resolve(out).resolve(file).toFile());
    }
}
