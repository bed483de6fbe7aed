package org.pregrad;

/** The file cannot be read, or holds no model. */
public class ModelException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public ModelException(String message) {
        super(message);
    }
}
