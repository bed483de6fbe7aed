package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pregrad.LayerCheck;

class CheckReportTest {
    private static final LayerCheck PASSED =
            new LayerCheck("relu", 1, "relu", true, 64, 64, 4096, 12, 3.1e-10, 1e-6, true, 1.27, 0.48, 0.12);
    private static final LayerCheck FAILED =
            new LayerCheck("act", 0, "gelu", false, 8, 4, 32, 0, 0.31, 2e-2, false, 0.5, 0.004, 1);
    private static final LayerCheck ALL_AT_KINKS = new LayerCheck(
            "act", 0, "relu", true, 64, 64, 0, 4096, Double.NaN, 1e-6, false, Double.NaN, Double.NaN, Double.NaN);

    @Test
    void saysInWordsWhatPassed() {
        assertThat(Verdict.of(PASSED))
                .isEqualTo("relu@1: ∂y/∂z agrees with finite differences to 3.1e-10 (float64, 4,096 units, 12 at a kink"
                        + " left out). A backward hook on this activation would return ∂y/∂a: 48% of units differ,"
                        + " relative error 1.27. Signed means cancel to 0.120 of the mean magnitude.");
    }

    @Test
    void saysInWordsWhatFailed() {
        assertThat(Verdict.of(FAILED))
                .startsWith("act@0: FAILED: ∂y/∂z disagrees with finite differences, relative error 0.310 where 0.0200"
                        + " is allowed (float32, 32 units). ")
                .contains("0.40% of units differ");
        assertThat(Verdict.of(ALL_AT_KINKS))
                .isEqualTo("act@0: FAILED: nothing was left to compare, all 4,096 units lie at a kink of the model;"
                        + " check other samples by --data or more by --samples.");
    }

    @Test
    void saysWhereAHookIsRight() {
        LayerCheck identity =
                new LayerCheck("head", 0, "identity", true, 2, 2, 4, 0, 1e-12, 1e-6, true, 0, 0, Double.NaN);
        assertThat(Verdict.of(identity)).endsWith("would return ∂y/∂a: no unit differs here.");
    }

    @Test
    void listsLayersAboveTheirVerdicts() throws IOException {
        String text = CheckReport.text(List.of(PASSED, ALL_AT_KINKS), CheckReport.Format.TABLE);
        List<String> lines = text.lines().toList();
        assertThat(lines).hasSize(6);
        assertThat(lines.get(1)).startsWith("relu@1").endsWith("passed");
        assertThat(lines.get(2)).startsWith("act@0").contains(" - ").endsWith("FAILED");
        assertThat(lines.get(4)).isEqualTo(Verdict.of(PASSED));
    }

    @Test
    void writesAllFieldsAsJson() throws IOException {
        JsonNode entries =
                new ObjectMapper().readTree(CheckReport.text(List.of(PASSED, ALL_AT_KINKS), CheckReport.Format.JSON));
        JsonNode passed = entries.get(0);
        assertThat(passed.fieldNames())
                .toIterable()
                .containsExactly(
                        "layer",
                        "call",
                        "op",
                        "in_double_precision",
                        "samples",
                        "neurons",
                        "compared",
                        "at_kink",
                        "gradient_error",
                        "tolerance",
                        "passed",
                        "hook_error",
                        "hook_differs",
                        "cancellation",
                        "verdict");
        assertThat(passed.get("hook_differs").doubleValue()).isEqualTo(0.48);
        assertThat(passed.get("passed").booleanValue()).isTrue();
        assertThat(entries.get(1).get("gradient_error").isNull()).isTrue();
        assertThat(entries.get(1).get("verdict").textValue()).contains("nothing was left");
    }
}
