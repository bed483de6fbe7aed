package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pregrad.cli.output.UnfinishedRun;

/** However often ablate is interrupted or killed, it ends with the same files. */
class ResumeTest {
    private static final int KILLS = 10;

    /** The whole work keeps about ten times as many as ten such lives. */
    private static final int MOST_STATES_OF_A_LIFE = 2;

    /** Kept as often as possible, so that little work shows much. */
    private static final String INTERVAL = "-Dpregrad.checkpoint.interval.ms=0";

    @TempDir
    private Path streams;

    @TempDir
    private Path work;

    @ParameterizedTest
    @ValueSource(strings = {"1", "3"})
    void endsWithTheSameFilesAfterTenKills(String atOnce) throws Exception {
        String[] more = {"--batches-at-once", atOnce};
        // The files hold the command's line, so both runs write to one place, one after the other.
        Path killed = work.resolve("out");
        assertThat(Spawned.run(command(killed, more), streams).code()).isZero();
        Path whole = Files.move(killed, work.resolve("whole"));

        Random random = new Random(12);
        int goneOn = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            boolean hasState = !states(killed).isEmpty();
            Process process = start(killed, more);
            awaitWork(process, killed);
            // All lives together keep fewer states than the work does, so none of them ends it.
            int kept = random.nextInt(MOST_STATES_OF_A_LIFE + 1);
            awaitStates(process, killed, kept);
            process.destroyForcibly();
            Ran ran = Spawned.finish(process, streams);
            if (hasState && kept > 0) {
                assertThat(ran.err()).contains("going on with the unfinished run in " + killed);
                goneOn++;
            }
            assertThat(ran.err()).doesNotContain("anew");
        }
        assertThat(goneOn).isGreaterThan(KILLS / 2);
        Ran last = Spawned.run(command(killed, more), streams);
        assertThat(last.code()).isZero();
        assertThat(last.err()).isEqualTo("pregrad: going on with the unfinished run in " + killed + "\n");
        assertSame(killed, whole);
    }

    @Test
    void saysHowToGoOnWhenInterruptedAndKeepsOthersOut() throws Exception {
        Path out = work.resolve("out");
        Process process = start(out);
        awaitState(process, out);
        signal("STOP", process);
        Ran.inProcess(arguments(out)).assertRefused("another pregrad is writing into the output directory " + out);
        signal("INT", process);
        signal("CONT", process);
        Ran ran = Spawned.finish(process, streams);
        assertThat(ran.code()).isEqualTo(130);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err()).isEqualTo("pregrad: interrupted; the same command given again goes on where it was\n");
        assertThat(files(out)).containsExactly(UnfinishedRun.FOLDER);

        Ran resumed = Ran.inProcess(arguments(out));
        assertThat(resumed.err()).isEqualTo("pregrad: going on with the unfinished run in " + out + "\n");
        assertThat(resumed.code()).isZero();
        assertSame(out, uninterrupted(out));
    }

    @Test
    void doesNotTrustADamagedState() throws Exception {
        Path out = work.resolve("out");
        Process process = start(out);
        awaitState(process, out);
        process.destroyForcibly();
        Spawned.finish(process, streams);
        Path state = states(out).get(0);
        byte[] bytes = Files.readAllBytes(state);
        bytes[bytes.length / 2] ^= 1;
        Files.write(state, bytes);
        Ran ran = Ran.inProcess(arguments(out));
        assertThat(ran.code()).isZero();
        assertThat(ran.err().lines()).hasSize(2).last().asString().endsWith("is damaged; starting anew");
        assertSame(out, uninterrupted(out));
    }

    /** The files hold the command's line, so the other run writes to the same place. */
    private Path uninterrupted(Path out) throws IOException {
        Path resumed = Files.move(out, work.resolve("resumed"));
        assertThat(Ran.inProcess(arguments(out)).code()).isZero();
        Path whole = Files.move(out, work.resolve("whole"));
        Files.move(resumed, out);
        return whole;
    }

    private static void assertSame(Path out, Path whole) throws IOException {
        assertThat(files(out)).containsExactly("curves.csv", "report.html", "scores.csv", "summary.json");
        for (String file : files(out)) {
            assertThat(out.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
    }

    private static String[] arguments(Path out, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "ablate",
                "--model",
                Fixtures.text("digits-mlp.scripted.pt"),
                "--data",
                Fixtures.text("digits.npz"),
                "--layer",
                "act2",
                "--removal",
                "mean",
                "--batch-size",
                "20",
                "--repeats",
                "3",
                "--threads",
                "1",
                "--out",
                out.toString()));
        arguments.addAll(List.of(more));
        return arguments.toArray(String[]::new);
    }

    private static List<String> command(Path out, String... more) {
        List<String> command = Spawned.pregrad(arguments(out, more));
        command.addAll(1, List.of(INTERVAL, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        return command;
    }

    private Process start(Path out, String... more) throws IOException {
        return Spawned.start(command(out, more), streams);
    }

    /** Until the process has its folder: what comes then is the long part. */
    private static void awaitWork(Process process, Path out) throws IOException, InterruptedException {
        Path lock = out.resolve(UnfinishedRun.FOLDER).resolve("lock");
        String before = Files.exists(lock) ? Files.readString(lock) : "";
        while (!Files.exists(lock) || Files.readString(lock).equals(before)) {
            assertThat(process.isAlive()).isTrue();
            Thread.sleep(5);
        }
    }

    private static void awaitState(Process process, Path out) throws IOException, InterruptedException {
        while (states(out).isEmpty()) {
            assertThat(process.isAlive()).isTrue();
            Thread.sleep(5);
        }
    }

    /** Until it has kept what it reached so many times. */
    private static void awaitStates(Process process, Path out, int times) throws IOException, InterruptedException {
        Map<Path, Object> before = identities(out);
        for (int seen = 0; seen < times; ) {
            assertThat(process.isAlive()).isTrue();
            Map<Path, Object> now = identities(out);
            seen += now.equals(before) ? 0 : 1;
            before = now;
            Thread.sleep(1);
        }
    }

    /** A file that is written anew is another one. */
    private static Map<Path, Object> identities(Path out) throws IOException {
        Map<Path, Object> identities = new HashMap<>();
        for (Path state : states(out)) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(state, BasicFileAttributes.class);
                identities.put(state, List.of(attributes.fileKey(), attributes.lastModifiedTime()));
            } catch (NoSuchFileException e) {
                // It is being replaced, or was of a part that is done.
            }
        }
        return identities;
    }

    private static List<Path> states(Path out) throws IOException {
        Path folder = out.resolve(UnfinishedRun.FOLDER);
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".state"))
                    .sorted()
                    .toList();
        }
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
