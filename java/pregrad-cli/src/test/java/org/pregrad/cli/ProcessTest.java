package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own shows: pipes, terminals, signals and a full disk. */
class ProcessTest {
    /** A file may not grow beyond this many blocks of 1 KiB; scores.csv of all methods takes 90. */
    private static final int FILE_LIMIT = 16;

    /** In KiB; scores.csv of one method takes 20, report.html with its charting library over 1000. */
    private static final int SMALLER_THAN_THE_PAGE = 200;

    /** In bytes, of the 50 MB that a long command reads. */
    private static final long SOME_SAMPLES = 8_000_000;

    @TempDir
    private Path streams;

    @TempDir
    private Path work;

    private Path out;

    @BeforeEach
    void nameOutputDirectory() {
        out = work.resolve("new/out");
    }

    @Test
    void printsTheVersionsOfWhatRuns() throws Exception {
        Ran ran = Spawned.run(Spawned.pregrad("--version"), streams);
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).matches("PreGrad \\S+\nLibTorch 2\\.\\S+\nJava " + quoted(Runtime.version()) + "\n");
    }

    @Test
    void showsNoProgressWhenPiped() throws Exception {
        Ran ran = Spawned.run(attribute(), streams);
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("scores.csv").doesNotContain("\r");
    }

    @Test
    void showsProgressOnATerminal() throws Exception {
        Ran ran = onTerminal(attribute());
        assertThat(ran.out()).contains("Attributing", "100%", "256/256 samples", "\r");
        assertThat(ran.code()).isZero();
    }

    @Test
    void showsNoProgressOnATerminalWhenQuiet() throws Exception {
        Ran ran = onTerminal(attribute("--quiet"));
        assertThat(ran.out()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(out.resolve("scores.csv")).exists();
    }

    @Test
    void leavesNothingWhenTheDiskIsFullInTheMiddle() throws Exception {
        List<String> limited = limited(
                FILE_LIMIT,
                attribute(
                        "--method",
                        "gradient,gradient-x-activation,gradient-x-preactivation,activation,preactivation"));
        Ran ran = Spawned.run(limited, streams);
        ran.assertRefused(
                "cannot write into the output directory " + out,
                "File too large",
                "free space there or give another --out");
        assertThat(files()).isEmpty();
    }

    @Test
    void keepsTheOldResultsWhenTheDiskIsFullInTheMiddle() throws Exception {
        assertThat(Spawned.run(attribute(), streams).code()).isZero();
        String before = Files.readString(out.resolve("scores.csv"));
        List<String> files = files();
        List<String> limited = limited(
                FILE_LIMIT,
                attribute(
                        "--method",
                        "gradient,gradient-x-activation,gradient-x-preactivation,activation,preactivation"));
        assertThat(Spawned.run(limited, streams).code()).isEqualTo(2);
        assertThat(files()).isEqualTo(files);
        assertThat(out.resolve("scores.csv")).hasContent(before);
    }

    @Test
    void leavesNothingWhenInterruptedWhileItComputes() throws Exception {
        Process process = Spawned.start(Spawned.longAttribution(streams, out), streams);
        awaitSamples(process);
        Spawned.signal("INT", process.pid());
        Ran ran = Spawned.finish(process, streams);
        assertThat(ran.code()).isEqualTo(130);
        assertThat(ran.out()).isEmpty();
        assertThat(files()).isEmpty();
    }

    @Test
    void leavesNothingWhenInterruptedWhileItWrites() throws Exception {
        Process process = Spawned.start(Spawned.java(SlowWriter.class, out.toString()), streams);
        while (files().stream().noneMatch(file -> file.endsWith("scores.csv"))) {
            assertThat(process.isAlive()).isTrue();
            Thread.sleep(20);
        }
        assertThat(out).doesNotExist();
        Spawned.signal("INT", process.pid());
        assertThat(Spawned.finish(process, streams).code()).isEqualTo(130);
        assertThat(files()).isEmpty();
    }

    @Test
    void namesTheMendForAPathThatTheLocaleCannotTell() throws Exception {
        List<String> plain =
                Spawned.shell("LC_ALL=C exec \"$@\" --model $'m\\xc3\\xb6del.pt'", Spawned.pregrad("layers"));
        Spawned.run(plain, streams).assertRefused("LC_ALL", "C.UTF-8");
    }

    @Test
    void leavesNothingWhenTheDiskIsFullWhileThePageIsDrawn() throws Exception {
        Ran ran = Spawned.run(limited(SMALLER_THAN_THE_PAGE, attribute()), streams);
        ran.assertRefused(
                "cannot write into the output directory " + out,
                "File too large",
                "free space there or give another --out");
        assertThat(files()).isEmpty();
    }

    @Test
    void keepsThePageWhenTheDiskIsFullWhileItIsDrawnAgain() throws Exception {
        assertThat(Spawned.run(attribute(), streams).code()).isZero();
        byte[] before = Files.readAllBytes(out.resolve("report.html"));
        List<String> files = files();
        List<String> limited = limited(SMALLER_THAN_THE_PAGE, Spawned.pregrad("report", "--from", out.toString()));
        Spawned.run(limited, streams)
                .assertRefused("cannot write into the output directory " + out, "File too large", "--from");
        assertThat(files()).isEqualTo(files);
        assertThat(out.resolve("report.html")).hasBinaryContent(before);
    }

    @Test
    void saysThatStandardOutputIsFullThoughItsFilesAreThere() throws Exception {
        assumeThat(Path.of("/dev/full")).exists();
        Spawned.run(Spawned.shell("exec \"$@\" >/dev/full", attribute()), streams)
                .assertRefused("cannot write to standard output");
        assertThat(out.resolve("scores.csv")).exists();
        Spawned.run(Spawned.shell("exec \"$@\" >/dev/full", Spawned.pregrad("--help")), streams)
                .assertRefused("cannot write to standard output");
    }

    @Test
    void isQuietWhenNobodyReadsItsOutput() throws Exception {
        String model = Fixtures.text("digits-cnn.scripted.pt");
        for (List<String> command : List.of(attribute(), Spawned.pregrad("layers", "--model", model))) {
            // The reader has gone before anything is written.
            Ran ran = Spawned.run(
                    Spawned.shell("{ \"$@\" && echo 0 >&2 || echo $? >&2; } | exec true", command), streams);
            assertThat(ran.err()).isEqualTo("141\n");
            assertThat(ran.out()).isEmpty();
        }
        assertThat(out.resolve("scores.csv")).exists();
    }

    @Test
    void failsWhenItsOutputCannotBeWritten() throws Exception {
        assumeThat(Path.of("/dev/full")).exists();
        List<String> full = Spawned.shell(
                "exec \"$@\" >/dev/full",
                Spawned.pregrad("layers", "--model", Fixtures.text("digits-cnn.scripted.pt")));
        Spawned.run(full, streams).assertRefused("cannot write to standard output");
    }

    private List<String> attribute(String... more) {
        List<String> command = Spawned.pregrad(
                "attribute",
                "--model",
                Fixtures.text("digits-cnn.scripted.pt"),
                "--data",
                Fixtures.text("digits-images.npz"),
                "--layer",
                "relu",
                "--out",
                out.toString());
        command.addAll(List.of(more));
        return command;
    }

    /** Writes no file beyond so many blocks: the kernel refuses to, as it does when a disk is full. */
    private static List<String> limited(int blocks, List<String> command) {
        return Spawned.shell("trap '' XFSZ; ulimit -f " + blocks + "; exec \"$@\"", command);
    }

    /** Runs with a terminal for stdin, stdout and stderr; all it showed is in {@code out}. */
    private Ran onTerminal(List<String> command) throws IOException, InterruptedException {
        assumeThat(Stream.of(System.getenv("PATH").split(":")).map(folder -> Path.of(folder, "script")))
                .as("the program script, which gives a terminal")
                .anyMatch(Files::isExecutable);
        String line = command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
        return Spawned.run(List.of("script", "-qec", line, "/dev/null"), streams);
    }

    /** Until it computes: with the native library loaded, only samples are as much to read. */
    private static void awaitSamples(Process process) throws IOException, InterruptedException {
        Path folder = Path.of("/proc", Long.toString(process.pid()));
        while (process.isAlive() && !Files.readString(folder.resolve("maps")).contains("libpregrad.so")) {
            Thread.sleep(20);
        }
        long before = bytesRead(folder);
        while (process.isAlive() && bytesRead(folder) < before + SOME_SAMPLES) {
            Thread.sleep(20);
        }
        assertThat(process.isAlive()).isTrue();
    }

    private static long bytesRead(Path folder) throws IOException {
        return Long.parseLong(Files.readAllLines(folder.resolve("io")).get(0).replace("rchar: ", ""));
    }

    private static String quoted(Object text) {
        return "\\Q" + text + "\\E";
    }

    private List<String> files() throws IOException {
        try (Stream<Path> paths = Files.walk(work)) {
            return paths.skip(1)
                    .map(path -> work.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }
}
