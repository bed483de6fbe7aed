package org.pregrad;

/** The model can be read but not attributed: two inputs, samples that interact, a state that it changes. */
public class UnsupportedModelException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public UnsupportedModelException(String message) {
        super(message);
    }
}
