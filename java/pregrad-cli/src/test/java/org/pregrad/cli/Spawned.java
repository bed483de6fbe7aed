package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.pregrad.data.TestNpz;

/** The command in a JVM of its own, as a user starts it. */
final class Spawned {
    /** Ends what hangs; a hundred times what the longest command takes. */
    private static final int PATIENCE_S = 1800;

    private static final int ASKS_FOR_NATIVE_ACCESS = 22;

    private Spawned() {}

    /** What starts a main class in a JVM with this one's classes. */
    static List<String> java(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // Its memory-mapped file would count as written by the command.
                "-XX:-UsePerfData",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dpregrad.libtorch=" + System.getProperty("pregrad.libtorch", ""),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        if (Runtime.version().feature() >= ASKS_FOR_NATIVE_ACCESS) {
            command.add(1, "--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of(arguments));
        return command;
    }

    static List<String> pregrad(String... arguments) {
        return java(Main.class, arguments);
    }

    /** Attribution that takes a while: of very many samples, one by one. */
    static List<String> longAttribution(Path work, Path out, String... more) throws IOException {
        int samples = 200_000;
        Path data = new TestNpz()
                .floats("x", "(" + samples + ", 1, 8, 8)", new float[64 * samples])
                .longs("y", "(" + samples + ",)", new long[samples])
                .write(work.resolve("large.npz"));
        List<String> command = pregrad(
                "attribute",
                "--model",
                Fixtures.text("digits-cnn.scripted.pt"),
                "--data",
                data.toString(),
                "--batch-size",
                "1",
                "--layer",
                "relu",
                "--out",
                out.toString());
        command.addAll(List.of(more));
        return command;
    }

    /** The same through a shell: {@code script} runs it as {@code "$@"}. */
    static List<String> shell(String script, List<String> command) {
        List<String> shell = new ArrayList<>(List.of("bash", "-c", script, "bash"));
        shell.addAll(command);
        return shell;
    }

    static Process start(List<String> command, Path directory) throws IOException {
        // Tests that a shell runs in the background inherit that interrupts are ignored; a user's terminal sends them.
        List<String> interruptible = new ArrayList<>(List.of("env", "--default-signal=INT"));
        interruptible.addAll(command);
        return new ProcessBuilder(interruptible)
                .redirectOutput(directory.resolve("stdout").toFile())
                .redirectError(directory.resolve("stderr").toFile())
                .start();
    }

    static void signal(String name, long process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process))
                        .start()
                        .waitFor())
                .isZero();
    }

    static Ran finish(Process process, Path directory) throws IOException, InterruptedException {
        if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("no end after " + PATIENCE_S + " s");
        }
        return new Ran(process.exitValue(), read(directory.resolve("stdout")), read(directory.resolve("stderr")));
    }

    static Ran run(List<String> command, Path directory) throws IOException, InterruptedException {
        return finish(start(command, directory), directory);
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
