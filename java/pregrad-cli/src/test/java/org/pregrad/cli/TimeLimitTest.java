package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pregrad.data.TestNpz;

/** {@code --time-limit}: a model that never ends is an error of one line. */
class TimeLimitTest {
    private static final String MODEL = "special/endless.scripted.pt";

    @TempDir
    private Path directory;

    private Path data() throws IOException {
        float[] x = new float[4 * 6];
        Arrays.fill(x, 1000);
        Path file = directory.resolve("endless.npz");
        return new TestNpz()
                .floats("x", "(4, 6)", x)
                .longs("y", "(4,)", 0, 1, 2, 0)
                .write(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"layers", "attribute", "ablate", "check"})
    void endsEveryCommand(String command) throws IOException {
        List<String> arguments = new ArrayList<>(
                List.of(command, "--model", Fixtures.text(MODEL), "--data", data().toString(), "--time-limit", "2s"));
        if (!command.equals("layers")) {
            arguments.addAll(List.of("--layer", "act"));
        }
        Path out = directory.resolve("out");
        if (command.equals("attribute") || command.equals("ablate")) {
            arguments.addAll(List.of("--out", out.toString()));
        }
        Ran.inProcess(arguments.toArray(String[]::new)).assertRefused("time limit of 2000 ms");
        assertThat(Files.exists(out.resolve("scores.csv"))).isFalse();
    }

    @Test
    void isReadWithItsUnit() {
        for (String duration : List.of("1h", "90", "5m", "60000ms")) {
            Ran ran = Ran.inProcess("layers", "--model", Fixtures.text(MODEL), "--time-limit", duration);
            assertThat(ran.code()).as(duration).isZero();
        }
        for (String duration : List.of("0s", "-1s", "3 days", "s", "1.5s", "")) {
            Ran.inProcess("layers", "--model", Fixtures.text(MODEL), "--time-limit=" + duration)
                    .assertRefused("--time-limit", "30s");
        }
    }
}
