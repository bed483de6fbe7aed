package org.pregrad;

/**
 * A call was cancelled by {@link Model#cancel()}, its thread was interrupted, or it took longer than the time limit of its
 * model. What it had not finished counts nowhere: an attribution, an ablation and a check hold what they held before, and
 * they and the model serve on. A thread that was interrupted still is.
 */
public class CancelledException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what ended the call and how to let it finish */
    public CancelledException(String message) {
        super(message);
    }
}
