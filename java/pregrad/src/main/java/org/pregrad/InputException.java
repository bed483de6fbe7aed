package org.pregrad;

/** Inputs, labels or clusters do not fit the model or each other. */
public class InputException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public InputException(String message) {
        super(message);
    }
}
