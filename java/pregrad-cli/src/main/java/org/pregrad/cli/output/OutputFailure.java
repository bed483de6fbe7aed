package org.pregrad.cli.output;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.pregrad.cli.errors.UserException;

/** Says in one line why an output directory cannot be written. */
final class OutputFailure {
    private OutputFailure() {}

    static UserException of(Path directory, IOException e) {
        String reason = reason(e);
        String mend = reason.toLowerCase(Locale.ROOT).matches(".*(no space|too large|quota).*")
                ? "free space there or give another --out"
                : "give another --out";
        return new UserException(
                "cannot write into the output directory " + directory + ": " + reason + "; nothing was written, "
                        + mend,
                e);
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NoSuchFileException) {
            return "it cannot be created there";
        }
        if (e instanceof FileSystemException failure && failure.getReason() != null) {
            return failure.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
