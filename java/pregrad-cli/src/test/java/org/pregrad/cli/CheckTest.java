package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.data.TestNpz;

/** What check prints, and its exit codes. */
class CheckTest {
    @TempDir
    private Path directory;

    @Test
    void passesAndSaysSo() {
        Ran ran = check("digits-cnn.scripted.pt", "digits-images.npz", "--layer", "relu", "--samples", "16");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        List<String> lines = ran.out().lines().toList();
        assertThat(lines).hasSize(6);
        assertThat(lines.get(1)).startsWith("relu@0").endsWith("passed");
        assertThat(lines.get(2)).startsWith("relu@1").endsWith("passed");
        assertThat(lines.get(5))
                .startsWith("relu@1: ∂y/∂z agrees with finite differences to ")
                .contains("A backward hook on this activation would return ∂y/∂a: ", "% of units differ")
                .contains("Signed means cancel to 0.");
    }

    @Test
    void failsWhereTheModelHidesAPathFromItsGradient() {
        Ran ran = check("without-gradient.scripted.pt", "without-gradient.npz", "--layer", layer("without-gradient"));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.out()).contains("FAILED: ∂y/∂z disagrees with finite differences, relative error ");
    }

    @Test
    void passesOnSmoothActivations() {
        Ran ran = check("act-gelu.scripted.pt", "act-gelu.npz", "--layer", layer("act-gelu"));
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).contains("act@0: ∂y/∂z agrees");
    }

    @Test
    void givesAllFieldsAsJson() throws IOException {
        Ran ran = check(
                "digits-mlp.scripted.pt",
                "digits.npz",
                "--layer",
                "act1",
                "act2",
                "--samples",
                "8",
                "--neurons",
                "5",
                "--target",
                "predicted",
                "--format",
                "json");
        assertThat(ran.code()).isZero();
        JsonNode checks = new ObjectMapper().readTree(ran.out());
        assertThat(checks).hasSize(2);
        JsonNode first = checks.get(0);
        assertThat(first.get("layer").textValue()).isEqualTo("act1");
        assertThat(first.get("samples").longValue()).isEqualTo(8);
        assertThat(first.get("neurons").longValue()).isEqualTo(5);
        assertThat(first.get("compared").longValue() + first.get("at_kink").longValue())
                .isEqualTo(40);
        assertThat(first.get("gradient_error").doubleValue())
                .isLessThan(first.get("tolerance").doubleValue());
        assertThat(first.get("verdict").textValue()).startsWith("act1@0: ");
    }

    @Test
    void refusesWrongInputs() throws IOException {
        check("digits-mlp.scripted.pt", "digits.npz", "--layer", "nothing").assertRefused("nothing", "act1");
        check("digits-mlp.scripted.pt", "none.npz", "--layer", "act1").assertRefused("does not exist");
        check("broken/empty.pt", "digits.npz", "--layer", "act1").assertRefused("empty");
        Path late = new TestNpz()
                .floats("x", "(1, 64)", new float[64])
                .longs("y", "(1,)", 10)
                .write(directory.resolve("late.npz"));
        check("digits-mlp.scripted.pt", late.toString(), "--layer", "act1").assertRefused("10");
    }

    private static String layer(String model) {
        return Fixtures.rows(Fixtures.path("golden/" + model + ".layers.csv"))
                .findFirst()
                .orElseThrow()[0];
    }

    private static Ran check(String model, String data, String... options) {
        List<String> arguments =
                new ArrayList<>(List.of("check", "--model", Fixtures.text(model), "--data", Fixtures.text(data)));
        arguments.addAll(List.of(options));
        return Ran.inProcess(arguments.toArray(String[]::new));
    }
}
