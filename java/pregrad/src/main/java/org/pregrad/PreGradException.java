package org.pregrad;

/**
 * What every failure of PreGrad is. The message is one line: what is wrong, with the value, and how to mend it. What it
 * quotes is escaped, as {@link Escapes} says.
 *
 * <p>An exception of exactly this class is a failure of PreGrad, LibTorch or their loading; its subclasses tell what the
 * caller can change.
 */
public class PreGradException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public PreGradException(String message) {
        super(Escapes.printable(message));
    }

    /**
     * @param message one line: what is wrong and how to mend it
     * @param cause what led to it
     */
    public PreGradException(String message, Throwable cause) {
        super(Escapes.printable(message), cause);
    }
}
