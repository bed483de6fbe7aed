package org.pregrad.cli.errors;

/** What the user can mend: a bad option, file or environment. The message is one line with the value and the mend. */
public class UserException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UserException(String message) {
        super(message);
    }

    public UserException(String message, Throwable cause) {
        super(message, cause);
    }
}
