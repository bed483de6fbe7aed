package org.pregrad.cli.output;

import java.nio.file.Path;

/** What an unfinished run left cannot be trusted. */
public final class DamagedStateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DamagedStateException(Path file, Exception cause) {
        super("the saved state " + file + " is damaged", cause);
    }
}
