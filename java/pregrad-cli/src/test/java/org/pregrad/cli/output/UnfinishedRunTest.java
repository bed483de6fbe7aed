package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.cli.errors.UserException;

class UnfinishedRunTest {
    private static final byte[] STATE = {1, 2, 3, 4};

    @TempDir
    private Path work;

    private final List<String> hints = new ArrayList<>();

    @Test
    void givesBackWhatWasReached() {
        try (UnfinishedRun run = open(key(50, "a"))) {
            assertThat(run.state("scores").read()).isEmpty();
            run.state("scores").write(new StateFile.Saved(7, false, STATE));
        }
        try (UnfinishedRun run = open(key(50, "a"))) {
            StateFile.Saved saved = run.state("scores").read().orElseThrow();
            assertThat(saved.batches()).isEqualTo(7);
            assertThat(saved.finished()).isFalse();
            assertThat(saved.state()).containsExactly(STATE);
            run.state("scores").write(new StateFile.Saved(9, true, new byte[0]));
            assertThat(run.state("scores").read().orElseThrow().finished()).isTrue();
        }
        assertThat(hints).hasSize(1).first().asString().contains("going on with the unfinished run in " + out());
    }

    @Test
    void startsAnewForAnotherCommandAndNamesWhatDiffers() {
        try (UnfinishedRun run = open(key(50, "a"))) {
            run.state("scores").write(new StateFile.Saved(7, false, STATE));
        }
        try (UnfinishedRun run = open(key(60, "b"))) {
            assertThat(run.state("scores").read()).isEmpty();
        }
        assertThat(hints).hasSize(1).first().asString().contains("(model, steps differ); starting anew");
    }

    @Test
    void startsAnewWhenItsKeyIsDamaged() throws IOException {
        try (UnfinishedRun run = open(key(50, "a"))) {
            run.state("scores").write(new StateFile.Saved(7, false, STATE));
        }
        Files.writeString(folder().resolve("key.json"), "{\"format\"");
        try (UnfinishedRun run = open(key(50, "a"))) {
            assertThat(run.state("scores").read()).isEmpty();
        }
        assertThat(hints).hasSize(1).first().asString().contains("starting anew");
    }

    @Test
    void saysNothingOfARunThatReachedNothing() {
        open(key(50, "a")).close();
        open(key(60, "a")).close();
        assertThat(hints).isEmpty();
    }

    @Test
    void trustsNoStateWithAChangedByte() throws IOException {
        try (UnfinishedRun run = open(key(50, "a"))) {
            StateFile state = run.state("scores");
            state.write(new StateFile.Saved(7, false, STATE));
            Path file = folder().resolve("scores.state");
            byte[] bytes = Files.readAllBytes(file);
            for (int i = 0; i < bytes.length; i++) {
                byte[] changed = bytes.clone();
                changed[i] ^= 1;
                Files.write(file, changed);
                assertThatThrownBy(state::read).as("byte " + i).isInstanceOf(StateFile.Damaged.class);
            }
            for (int length = 0; length < bytes.length; length++) {
                Files.write(file, Arrays.copyOf(bytes, length));
                assertThatThrownBy(state::read).as(length + " bytes").isInstanceOf(StateFile.Damaged.class);
            }
        }
    }

    @Test
    void trustsNoStateOfAnotherRun() throws IOException {
        byte[] foreign;
        try (UnfinishedRun run = open(key(60, "a"))) {
            run.state("scores").write(new StateFile.Saved(7, false, STATE));
            foreign = Files.readAllBytes(folder().resolve("scores.state"));
        }
        try (UnfinishedRun run = open(key(50, "a"))) {
            Files.write(folder().resolve("scores.state"), foreign);
            assertThatThrownBy(() -> run.state("scores").read()).isInstanceOf(StateFile.Damaged.class);
        }
    }

    @Test
    void keepsOthersOut() {
        try (UnfinishedRun first = open(key(50, "a"))) {
            assertThat(first.folder()).isDirectory();
            assertThatThrownBy(() -> open(key(50, "a")))
                    .isInstanceOf(UserException.class)
                    .hasMessageContaining("another pregrad is writing into the output directory " + out());
        }
        open(key(50, "a")).close();
    }

    @Test
    void leavesNoTraceWhenDiscarded() throws IOException {
        try (UnfinishedRun run = open(key(50, "a"))) {
            run.state("scores").write(new StateFile.Saved(7, false, STATE));
            Files.writeString(folder().resolve("scores.state.new"), "half");
            run.discard();
        }
        assertThat(files()).isEmpty();
    }

    @Test
    void keepsADirectoryThatWasThereOrHasResults() throws IOException {
        try (UnfinishedRun run = open(key(50, "a"))) {
            try (OutputTransaction transaction = directory().begin(run)) {
                transaction.write("scores.csv", to -> to.write("layer\n"));
                transaction.commit();
            }
            run.discard();
        }
        assertThat(files()).containsExactly("new", "new/out", "new/out/scores.csv");
    }

    @Test
    void takesWhatAKilledTransactionLeftWithIt() throws IOException {
        UnfinishedRun killed = open(key(50, "a"));
        directory().begin(killed).write("scores.csv", to -> to.write("half"));
        killed.close();
        assertThat(files()).anyMatch(file -> file.endsWith("scores.csv"));
        try (UnfinishedRun run = open(key(50, "a"))) {
            run.discard();
        }
        assertThat(files()).allMatch(file -> Files.isDirectory(work.resolve(file)));
    }

    private Path out() {
        return work.resolve("new/out");
    }

    private Path folder() {
        return out().resolve(UnfinishedRun.FOLDER);
    }

    private OutputDirectory directory() {
        return new OutputDirectory(out());
    }

    private UnfinishedRun open(RunKey key) {
        return UnfinishedRun.open(directory(), key, hints::add);
    }

    private static RunKey key(int steps, String modelDigest) {
        Map<String, FileDigest> files = new LinkedHashMap<>();
        files.put("model", new FileDigest("m.pt", 1, modelDigest));
        files.put("score_data", null);
        return new RunKey(Map.of("java", "17"), Map.of("steps", steps, "seed", 0L), files);
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
