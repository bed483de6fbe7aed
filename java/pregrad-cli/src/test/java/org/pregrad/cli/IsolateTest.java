package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code --isolate}: the same results, and a crash of the model's process is one line. */
@Timeout(1800)
class IsolateTest {
    private static final String MODEL = Fixtures.text("digits-cnn.scripted.pt");
    private static final String DATA = Fixtures.text("digits-images.npz");

    @TempDir
    private Path folder;

    @Test
    void listsAndChecksTheSame() {
        for (List<String> command : List.of(
                List.of("layers", "--model", MODEL, "--data", DATA, "--all"),
                List.of(
                        "check",
                        "--model",
                        MODEL,
                        "--data",
                        DATA,
                        "--layer",
                        "relu",
                        "--samples",
                        "4",
                        "--neurons",
                        "2"))) {
            List<String> isolated = new ArrayList<>(command);
            isolated.addAll(List.of("--isolate", "--memory-limit", "4"));
            assertThat(Ran.inProcess(isolated.toArray(String[]::new)))
                    .isEqualTo(Ran.inProcess(command.toArray(String[]::new)));
        }
    }

    @Test
    void writesTheSameCurves() throws IOException {
        List<String> command = List.of(
                "ablate", "--model", MODEL, "--data", DATA, "--layer", "relu@1", "--repeats", "2", "--quiet", "--out");
        for (List<String> more : List.of(List.of("here"), List.of("there", "--isolate"))) {
            List<String> all = new ArrayList<>(command);
            all.add(folder.resolve(more.get(0)).toString());
            all.addAll(more.subList(1, more.size()));
            Ran ran = Ran.inProcess(all.toArray(String[]::new));
            assertThat(ran.err()).isEmpty();
            assertThat(ran.code()).isZero();
        }
        // The same kernels run on the same shapes.
        for (String file : List.of("scores.csv", "curves.csv")) {
            assertThat(folder.resolve("there").resolve(file))
                    .hasSameTextualContentAs(folder.resolve("here").resolve(file));
        }
    }

    @Test
    void aLimitNeedsAProcess() {
        Ran.inProcess("layers", "--model", MODEL, "--memory-limit", "4").assertRefused("--memory-limit", "--isolate");
    }

    @Test
    void aCrashIsOneLine() throws Exception {
        Process command = start();
        ProcessHandle model = modelOf(command);
        Spawned.signal("KILL", model.pid());
        Ran ran = Spawned.finish(command, folder);
        ran.assertRefused("Model " + MODEL, "SIGKILL");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void anInterruptEndsBoth() throws Exception {
        Process command = start();
        ProcessHandle model = modelOf(command);
        // As a terminal does, which asks all processes of a command.
        Spawned.signal("INT", model.pid());
        Spawned.signal("INT", command.pid());
        Ran ran = Spawned.finish(command, folder);
        assertThat(ran.code()).isEqualTo(130);
        assertThat(ran.out() + ran.err()).isEmpty();
        model.onExit().join();
    }

    private Process start() throws IOException {
        return Spawned.start(Spawned.longAttribution(folder, folder.resolve("out"), "--isolate"), folder);
    }

    /** The process of the model, once it has loaded it. */
    private static ProcessHandle modelOf(Process command) throws IOException {
        while (true) {
            assertThat(command.isAlive()).isTrue();
            List<ProcessHandle> children = command.descendants().toList();
            if (!children.isEmpty() && hasLoaded(children.get(0))) {
                return children.get(0);
            }
            Thread.onSpinWait();
        }
    }

    private static boolean hasLoaded(ProcessHandle process) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(process.pid()), "maps"))) {
            return lines.anyMatch(line -> line.contains("libpregrad.so"));
        }
    }
}
