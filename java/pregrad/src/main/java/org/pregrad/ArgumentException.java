package org.pregrad;

/** An option is wrong: an unknown method, a target outside the outputs, a device of no known kind. */
public class ArgumentException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public ArgumentException(String message) {
        super(message);
    }
}
