package org.pregrad;

/** The function of the model's output vector [N, outputs] whose component is differentiated. */
public enum Output {
    /** The model's output as it is. */
    LOGIT("logit"),
    /** Softmax over the outputs; its gradients are 40 to 80 times smaller. */
    PROBABILITY("probability"),
    /** Log-softmax over the outputs. */
    LOG_PROBABILITY("log-probability");

    private final String id;

    Output(String id) {
        this.id = id;
    }

    /** {@return the name used by the command, e.g. {@code log-probability}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the output of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no output has that name
     */
    public static Output of(String id) {
        return Ids.find("output", values(), Output::id, id);
    }
}
