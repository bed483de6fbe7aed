package org.pregrad.cli.output;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Deque;
import org.pregrad.cli.errors.UserException;

/** Where a command's results go. */
public final class OutputDirectory {
    private final Path given;
    private final String option;
    private final Path path;

    /** @param given as the user wrote it for {@code --out}; need not exist */
    public OutputDirectory(Path given) {
        this(given, "--out");
    }

    /**
     * @param given  as the user wrote it; need not exist
     * @param option what it was given with, for error lines
     */
    public OutputDirectory(Path given, String option) {
        this.given = given;
        this.option = option;
        Path absolute = given.toAbsolutePath();
        // Before it exists, no link can stand in it, and `a/..` must not be created.
        this.path = Files.exists(absolute) ? absolute : absolute.normalize();
    }

    /** As the user wrote it. */
    public Path given() {
        return given;
    }

    /**
     * Finds out before a long computation whether the results can be written, and leaves no trace.
     *
     * @param fileNames the files that will be written
     * @throws UserException if not
     */
    public void checkWritable(String... fileNames) {
        if (given.toString().isEmpty()) {
            throw new UserException(
                    "the output directory has no name; give " + option + " DIR, or " + option + " . for this one");
        }
        if (Files.exists(path) && !Files.isDirectory(path)) {
            throw new UserException("the output directory " + given + " is a file; give another " + option);
        }
        for (String name : fileNames) {
            if (Files.isDirectory(path.resolve(name))) {
                throw new UserException(
                        "the output file " + given.resolve(name) + " is a directory; give another " + option);
            }
        }
        Deque<Path> missing = FileTree.missing(path);
        Path existing = missing.isEmpty() ? path : missing.peek().getParent();
        try {
            Files.delete(FileTree.createHidden(existing));
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Starts to write; nothing shows until {@link OutputTransaction#commit}. */
    public OutputTransaction begin() {
        try {
            return new OutputTransaction(this, path);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** The same, but what a killed process leaves stands in the folder of the unfinished run, and goes with it. */
    public OutputTransaction begin(UnfinishedRun unfinished) {
        try {
            return new OutputTransaction(this, path, unfinished.folder());
        } catch (IOException e) {
            throw failure(e);
        }
    }

    Path path() {
        return path;
    }

    OutputFailure failure(IOException e) {
        return OutputFailure.of(given, option, e);
    }
}
