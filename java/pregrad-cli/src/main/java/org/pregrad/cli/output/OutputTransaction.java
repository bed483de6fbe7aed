package org.pregrad.cli.output;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.pregrad.cli.errors.UserException;

/**
 * Files that appear in a directory all together or not at all. They are written into a hidden directory on the same file
 * system and moved when all are complete; an interrupt (Ctrl-C) before that removes them.
 */
public final class OutputTransaction implements AutoCloseable {
    private final OutputDirectory directory;
    private final Path target;
    private final Deque<Path> missing;
    private final Path staging;
    private final List<String> names = new ArrayList<>();
    private final Thread onInterrupt = new Thread(this::discardQuietly, "pregrad-discard");
    private boolean finished;

    OutputTransaction(OutputDirectory directory, Path target) throws IOException {
        this.directory = directory;
        this.target = target;
        this.missing = FileTree.missing(target);
        Path parent = missing.isEmpty() ? target : target.getParent();
        Path created = null;
        try {
            Files.createDirectories(parent);
            created = FileTree.createHidden(parent);
        } finally {
            if (created == null) {
                removeCreatedParents();
            }
        }
        this.staging = created;
        Runtime.getRuntime().addShutdownHook(onInterrupt);
    }

    /** Stages in another folder of the target's file system; the target exists. */
    OutputTransaction(OutputDirectory directory, Path target, Path stagingParent) throws IOException {
        this.directory = directory;
        this.target = target;
        this.missing = new ArrayDeque<>();
        this.staging = FileTree.createHidden(stagingParent);
        Runtime.getRuntime().addShutdownHook(onInterrupt);
    }

    /** Writes text in UTF-8. */
    public interface Content {
        void writeTo(Writer writer) throws IOException;
    }

    /**
     * Writes one file completely, to the disk itself.
     *
     * @throws UserException if the disk does not take it
     */
    public void write(String name, Content content) {
        try (FileChannel channel = create(name);
                Writer writer = new BufferedWriter(
                        new OutputStreamWriter(Channels.newOutputStream(channel), StandardCharsets.UTF_8))) {
            content.writeTo(writer);
            writer.flush();
            channel.force(true);
        } catch (IOException e) {
            throw directory.failure(e);
        } catch (UncheckedIOException e) {
            throw directory.failure(e.getCause());
        }
    }

    /** Where a file that was written stands until all appear; null if none of that name was. */
    public synchronized Path written(String name) {
        return names.contains(name) ? staging.resolve(name) : null;
    }

    /**
     * Has one file written by its path, to the disk itself. If `writer` throws, there is no such file.
     *
     * @throws UserException if the disk does not take it
     */
    public void writeFile(String name, Consumer<Path> writer) {
        Path file = staging.resolve(name);
        boolean written = false;
        try {
            writer.accept(file);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            names.add(name);
            written = true;
        } catch (IOException e) {
            throw directory.failure(e);
        } finally {
            if (!written) {
                deleteQuietly(file);
            }
        }
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // It goes with the folder that it is in.
        }
    }

    /**
     * Makes all files appear.
     *
     * @throws UserException if they cannot; then the directory is as it was
     */
    public synchronized void commit() {
        checkRunning();
        try {
            FileTree.sync(staging);
            if (Files.exists(target)) {
                new Replacement(target, staging, names).run();
                FileTree.delete(staging);
            } else {
                Files.move(staging, target);
            }
            finish();
            FileTree.sync(target);
            FileTree.sync(
                    target.toRealPath().getParent() == null
                            ? target
                            : target.toRealPath().getParent());
        } catch (IOException e) {
            throw directory.failure(e);
        }
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        discardQuietly();
        try {
            Runtime.getRuntime().removeShutdownHook(onInterrupt);
        } catch (IllegalStateException e) {
            // The JVM is going down: the hook has run or will, and finds nothing left to do.
        }
    }

    private synchronized FileChannel create(String name) throws IOException {
        checkRunning();
        FileChannel channel =
                FileChannel.open(staging.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        names.add(name);
        return channel;
    }

    private void checkRunning() {
        if (finished) {
            throw new IllegalStateException("the results were already written or discarded");
        }
    }

    private synchronized void discardQuietly() {
        if (finished) {
            return;
        }
        finish();
        try {
            FileTree.delete(staging);
            removeCreatedParents();
        } catch (IOException e) {
            // Something worse is being reported already; what is left is hidden and harmless.
        }
    }

    private void removeCreatedParents() throws IOException {
        for (var innermostFirst = missing.descendingIterator(); innermostFirst.hasNext(); ) {
            Files.deleteIfExists(innermostFirst.next());
        }
    }

    private void finish() {
        finished = true;
    }
}
