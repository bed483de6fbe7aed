package org.pregrad.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Outputs are written as NAME:SHAPE, with ? for the batch. */
class ReadOutputTest {
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                ":?x3, -, ''",
                "a:?x3, -, a",
                "a:?x3 logits:?x5, -, logits",
                "a:?x3 logits:?x5, a, a",
                "0:?x3 1:?x7, -, 0",
                "a:?x3 b:?x5, -, -",
                "a:?x3, b, -",
            })
    void readsTheOutputThatTheCoreReads(String outputs, String wanted, String name) {
        assertThat(output(outputs, wanted).name().orElse(null)).isEqualTo(name);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                ":?, -, true",
                ":?x1, -, true",
                ":?x3, -, false",
                ":?x5x1, -, false",
                ":?x5x1, 2, true",
                ":?x5x1, -1, true",
                ":?x1x5, 2, false",
                ":?x1, 0, false",
                ":?x1, 7, false",
                "a:?x1 b:?x1, -, false",
                "0:?x1 1:?x5, -, true",
            })
    void knowsOfOneClassWhereThatIsCertain(String outputs, Integer classAxis, boolean isOne) {
        assertThat(output(outputs, null).isOneClass(classAxis)).isEqualTo(isOne);
    }

    @Test
    void hintsAtWhatTheOtherCommandsNeed() {
        assertThat(output(":?x3", null).hint()).isEmpty();
        assertThat(output("logits:?x5x3 pooled:?x4", null).hint())
                .contains(
                        "output 'logits' (shape ?x5x3) has positions: give --at to the other commands, or labels of the"
                                + " shape [samples, positions]");
        assertThat(output("a:?x3 b:?x5x2", null).hint())
                .contains("the model has several outputs: give --output-name to the other commands, one of a, b");
    }

    private static ReadOutput output(String outputs, String wanted) {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        for (String output : outputs.split(" ", -1)) {
            String[] nameAndShape = output.split(":", -1);
            shapes.put(
                    nameAndShape[0],
                    Arrays.stream(nameAndShape[1].split("x", -1))
                            .map(size -> size.equals("?") ? -1 : Long.valueOf(size))
                            .toList());
        }
        return new ReadOutput(shapes, wanted);
    }
}
