package org.pregrad.cli.output;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.pregrad.cli.errors.UserException;

/** An output directory cannot be written; the message says in one line why. */
public final class OutputFailure extends UserException {
    private static final long serialVersionUID = 1L;

    private OutputFailure(String message, IOException cause) {
        super(message, cause);
    }

    static OutputFailure of(Path directory, String option, IOException e) {
        String reason = reason(e);
        String mend = reason.toLowerCase(Locale.ROOT).matches(".*(no space|too large|quota).*")
                ? "free space there or give another " + option
                : "give another " + option;
        return new OutputFailure(
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
