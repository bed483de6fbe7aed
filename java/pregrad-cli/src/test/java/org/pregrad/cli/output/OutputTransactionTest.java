package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.cli.errors.UserException;

class OutputTransactionTest {
    @TempDir
    private Path root;

    @Test
    void createsTheDirectoryWithAllFiles() throws IOException {
        Path target = root.resolve("a/b/out");
        OutputDirectory directory = new OutputDirectory(target);
        directory.checkWritable("one", "two");
        assertThat(tree()).isEmpty();
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write("one", to -> to.write("1"));
            transaction.write("two", to -> to.write("ζ"));
            assertThat(target).doesNotExist();
            transaction.commit();
        }
        assertThat(tree()).containsExactly("a", "a/b", "a/b/out", "a/b/out/one", "a/b/out/two");
        assertThat(target.resolve("two")).hasContent("ζ");
    }

    @Test
    void leavesOtherFilesOfTheDirectoryAlone() throws IOException {
        Files.writeString(root.resolve("one"), "old");
        Files.writeString(root.resolve("notes"), "mine");
        write(new OutputDirectory(root));
        assertThat(tree()).containsExactly("notes", "one", "two");
        assertThat(root.resolve("one")).hasContent("1");
        assertThat(root.resolve("notes")).hasContent("mine");
    }

    @Test
    void leavesNothingWhenItIsNotCommitted() throws IOException {
        OutputDirectory directory = new OutputDirectory(root.resolve("a/b"));
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write("one", to -> to.write("1"));
        }
        assertThat(tree()).isEmpty();
    }

    @Test
    void leavesTheOldFilesWhenWritingFails() throws IOException {
        Files.writeString(root.resolve("one"), "old");
        OutputDirectory directory = new OutputDirectory(root);
        assertThatThrownBy(() -> {
                    try (OutputTransaction transaction = directory.begin()) {
                        transaction.write("one", to -> to.write("1"));
                        transaction.write("two", to -> {
                            throw new IOException("No space left on device");
                        });
                    }
                })
                .isInstanceOf(UserException.class)
                .hasMessageContaining(root.toString())
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("free space");
        assertThat(tree()).containsExactly("one");
        assertThat(root.resolve("one")).hasContent("old");
    }

    /** The second file cannot be moved, after the first one was. */
    @Test
    void putsTheOldFilesBackWhenMovingFails() throws IOException {
        Files.writeString(root.resolve("one"), "old");
        Files.writeString(root.resolve("two"), "old");
        Path staging = Files.createDirectory(root.resolve("staging"));
        Files.writeString(staging.resolve("one"), "new");
        assertThatThrownBy(() -> new Replacement(root, staging, List.of("one", "two")).run())
                .isInstanceOf(IOException.class);
        assertThat(root.resolve("one")).hasContent("old");
        assertThat(root.resolve("two")).hasContent("old");
        assertThat(staging.resolve("one")).hasContent("new");
    }

    @Test
    void takesADirectoryThatAppearedMeanwhile() throws IOException {
        Path target = root.resolve("out");
        OutputDirectory directory = new OutputDirectory(target);
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write("one", to -> to.write("1"));
            Files.createDirectory(target);
            Files.writeString(target.resolve("notes"), "mine");
            transaction.commit();
        }
        assertThat(tree()).containsExactly("out", "out/notes", "out/one");
    }

    @Test
    void givesTheFilesTheUsersUsualPermissions() throws IOException {
        Path usual = Files.createDirectory(root.resolve("usual"));
        Path target = root.resolve("out");
        write(new OutputDirectory(target));
        assertThat(permissions(target)).isEqualTo(permissions(usual));
    }

    @Test
    void followsALinkToADirectory() throws IOException {
        Path real = Files.createDirectory(root.resolve("real"));
        Path link = Files.createSymbolicLink(root.resolve("link"), real);
        write(new OutputDirectory(link));
        assertThat(real.resolve("one")).hasContent("1");
        assertThat(link).isSymbolicLink();
    }

    @Test
    void saysBeforehandThatADirectoryCannotBeWritten() throws IOException {
        Path file = Files.writeString(root.resolve("file"), "");
        assertThatThrownBy(() -> new OutputDirectory(file).checkWritable())
                .isInstanceOf(UserException.class)
                .hasMessageContaining("is a file");
        assertThatThrownBy(() -> new OutputDirectory(Path.of("")).checkWritable())
                .isInstanceOf(UserException.class)
                .hasMessageContaining("--out .");
        assertThatThrownBy(() -> new OutputDirectory(file.resolve("below")).checkWritable())
                .isInstanceOf(UserException.class)
                .hasMessageContaining("give another --out");
        assertThatThrownBy(() -> new OutputDirectory(Path.of("/proc/none/below")).checkWritable())
                .isInstanceOf(UserException.class)
                .hasMessageContaining("cannot write into the output directory /proc/none/below");
        Files.createDirectories(root.resolve("out/scores.csv"));
        assertThatThrownBy(() -> new OutputDirectory(root.resolve("out")).checkWritable("scores.csv"))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("scores.csv is a directory");
        assertThat(tree()).containsExactly("file", "out", "out/scores.csv");
    }

    @Test
    void cannotBeUsedTwice() {
        try (OutputTransaction transaction = new OutputDirectory(root.resolve("out")).begin()) {
            transaction.write("one", to -> to.write("1"));
            transaction.commit();
            assertThatThrownBy(transaction::commit).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> transaction.write("two", to -> to.write("2")))
                    .isInstanceOf(IllegalStateException.class);
        }
        assertThat(root.resolve("out/one")).exists();
    }

    private static void write(OutputDirectory directory) {
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write("one", to -> to.write("1"));
            transaction.write("two", to -> to.write("2"));
            transaction.commit();
        }
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private List<String> tree() throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.skip(1)
                    .map(path -> root.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }
}
