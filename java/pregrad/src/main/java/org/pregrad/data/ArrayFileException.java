package org.pregrad.data;

import java.nio.file.Path;
import org.pregrad.PreGradException;

/** A file of arrays cannot be used. */
public class ArrayFileException extends PreGradException {
    private static final long serialVersionUID = 1L;

    private final String reason;

    ArrayFileException(String reason) {
        this(reason, null);
    }

    ArrayFileException(String reason, Throwable cause) {
        super(reason, cause);
        this.reason = reason;
    }

    private ArrayFileException(Path file, ArrayFileException cause) {
        super("data file " + file + ": " + cause.reason, cause);
        this.reason = cause.reason;
    }

    /** {@return what is wrong with the file's content and how to mend it, without the file's name, for messages of your own} */
    public String reason() {
        return reason;
    }

    /** The same, with the file's name in the message. */
    ArrayFileException in(Path file) {
        return new ArrayFileException(file, this);
    }
}
