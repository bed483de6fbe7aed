package org.pregrad;

/** A layer name fits nothing or more than one thing; the message lists the candidates. */
public class LayerException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public LayerException(String message) {
        super(message);
    }
}
