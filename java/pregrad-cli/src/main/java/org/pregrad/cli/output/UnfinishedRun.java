package org.pregrad.cli.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.pregrad.cli.errors.UserException;

/**
 * What a long run has reached, in a hidden folder of its output directory: if the process ends before its time, the same
 * command goes on from there, which is said when the process is told to end (Ctrl-C) while this is open. Only one process
 * at a time has the folder.
 */
public final class UnfinishedRun implements AutoCloseable {
    public static final String FOLDER = ".pregrad-unfinished";

    private static final String LOCK = "lock";
    private static final String KEY = "key.json";
    private static final String STATE = ".state";

    private final OutputDirectory directory;
    private final Path folder;
    private final RunKey key;
    private final Deque<Path> created;
    private final FileChannel lock;
    private final Thread onInterrupt;

    private UnfinishedRun(
            OutputDirectory directory, RunKey key, Deque<Path> created, FileChannel lock, Consumer<String> hints) {
        this.directory = directory;
        this.folder = directory.path().resolve(FOLDER);
        this.key = key;
        this.created = created;
        this.lock = lock;
        this.onInterrupt = new Thread(
                () -> hints.accept("interrupted; the same command given again goes on where it was"),
                "pregrad-interrupt-hint");
    }

    /**
     * Takes the folder, which is created if missing, and finds out whether a run of this key can go on.
     *
     * @param hints gets one line if there is an unfinished run, on whether it goes on, and one on an interrupt
     * @throws UserException if another process has it, or the disk does not take it
     */
    public static UnfinishedRun open(OutputDirectory directory, RunKey key, Consumer<String> hints) {
        Path folder = directory.path().resolve(FOLDER);
        Deque<Path> created = FileTree.missing(directory.path());
        try {
            FileChannel lock = null;
            // Whoever is just finishing removes the folder, maybe between any two of our steps.
            while (lock == null) {
                Files.createDirectories(folder);
                lock = lock(folder.resolve(LOCK), directory.given());
            }
            UnfinishedRun run = new UnfinishedRun(directory, key, created, lock, hints);
            try {
                run.compare(hints);
                Runtime.getRuntime().addShutdownHook(run.onInterrupt);
            } catch (IOException | RuntimeException e) {
                run.close();
                throw e;
            }
            return run;
        } catch (IOException e) {
            throw directory.failure(e);
        }
    }

    /** What the part of that name has reached. */
    public StateFile state(String name) {
        return new StateFile(directory, folder.resolve(name + STATE), key.digest());
    }

    /** Forgets what was reached. */
    public void reset() {
        try {
            for (Path file : contents()) {
                FileTree.delete(file);
            }
            FileTree.writeAtomically(folder.resolve(KEY), key.text());
        } catch (IOException e) {
            throw directory.failure(e);
        }
    }

    /** Removes the folder, and the directories that it was created with if nothing else is in them. */
    public void discard() {
        try {
            for (Path file : contents()) {
                FileTree.delete(file);
            }
            // Last: as long as it stands, nobody else takes the folder.
            Files.deleteIfExists(folder.resolve(LOCK));
            Files.deleteIfExists(folder);
            for (var innermostFirst = created.descendingIterator(); innermostFirst.hasNext(); ) {
                Files.deleteIfExists(innermostFirst.next());
            }
        } catch (DirectoryNotEmptyException e) {
            // The results are in it, or another process has taken it already.
        } catch (IOException e) {
            throw directory.failure(e);
        }
    }

    /** Lets others have the folder. */
    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(onInterrupt);
        } catch (IllegalStateException e) {
            // The JVM is going down, and the hint is on its way.
        }
        try {
            lock.close();
        } catch (IOException e) {
            throw directory.failure(e);
        }
    }

    Path folder() {
        return folder;
    }

    private void compare(Consumer<String> hints) throws IOException {
        Path keyFile = folder.resolve(KEY);
        byte[] found = Files.exists(keyFile) ? Files.readAllBytes(keyFile) : new byte[0];
        boolean reached = contents().stream().anyMatch(file -> file.toString().endsWith(STATE));
        if (Arrays.equals(found, key.text())) {
            if (reached) {
                hints.accept("going on with the unfinished run in " + directory.given());
            }
            return;
        }
        if (reached) {
            Set<String> differences = key.differences(found);
            hints.accept("the unfinished run in " + directory.given() + " is of another command or of changed files ("
                    + String.join(", ", differences) + " differ); starting anew");
        }
        reset();
    }

    /** All but the lock. */
    private List<Path> contents() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> !file.endsWith(LOCK)).toList();
        }
    }

    /** The lock on a file that is still there; null if it was removed meanwhile. */
    private static FileChannel lock(Path file, Path given) throws IOException {
        FileChannel channel = null;
        boolean taken = false;
        try {
            createIfMissing(file);
            Object before = identity(file);
            channel = FileChannel.open(file, StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                throw busy(given);
            }
            // A lock on a file that its owner has removed since keeps nobody out. The file must not be opened a second
            // time to find out: closing it would give up the lock.
            taken = identity(file).equals(before);
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
            return taken ? channel : null;
        } catch (NoSuchFileException e) {
            return null;
        } catch (OverlappingFileLockException e) {
            throw busy(given);
        } finally {
            if (!taken && channel != null) {
                channel.close();
            }
        }
    }

    private static void createIfMissing(Path file) throws IOException {
        try {
            Files.createFile(file);
        } catch (FileAlreadyExistsException e) {
            // As it should be while a run is unfinished.
        }
    }

    private static Object identity(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        // Not every file system tells files apart; then the time of creation has to do.
        return attributes.fileKey() == null ? attributes.creationTime() : attributes.fileKey();
    }

    private static UserException busy(Path given) {
        return new UserException("another pregrad is writing into the output directory " + given
                + "; wait for its end or give another --out");
    }
}
