package org.pregrad.cli.output;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/** What the JDK lacks for directories. */
final class FileTree {
    private static final SecureRandom RANDOM = new SecureRandom();

    private FileTree() {}

    /** Creates a hidden directory with a name of its own; unlike the JDK's temporary ones it gets the user's usual permissions. */
    static Path createHidden(Path parent) throws IOException {
        return Files.createDirectory(parent.resolve(".pregrad-" + Long.toHexString(RANDOM.nextLong())));
    }

    /** The directories that creating {@code directory} would create, outermost first. */
    static Deque<Path> missing(Path directory) {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path at = directory; at != null && Files.notExists(at); at = at.getParent()) {
            missing.push(at);
        }
        return missing;
    }

    /** Writes a file so that it is there with all its bytes or not at all, through a power cut too. */
    static void writeAtomically(Path file, byte[] bytes) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
                channel.write(left);
            }
            channel.force(true);
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw e;
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        sync(file.toAbsolutePath().getParent());
    }

    static void delete(Path root) throws IOException {
        if (Files.notExists(root)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(root)) {
            List<Path> innermostFirst = tree.sorted(Comparator.reverseOrder()).toList();
            for (Path path : innermostFirst) {
                Files.deleteIfExists(path);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Makes what was created or renamed in a directory last through a power cut. */
    static void sync(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
