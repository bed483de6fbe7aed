package org.pregrad;

/** Where the path of {@link Method#INTEGRATED_GRADIENTS} starts. */
public enum Baseline {
    /** a′ = 0. */
    ZERO("zero"),
    /** The mean activations: {@link Attribution.Builder#means}. */
    MEAN("mean"),
    /** The constants of {@link Attribution.Builder#baselines}. */
    GIVEN("given");

    private final String id;

    Baseline(String id) {
        this.id = id;
    }

    /** {@return the name used by the command, e.g. {@code mean}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the baseline of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no baseline has that name
     */
    public static Baseline of(String id) {
        return Ids.find("baseline", values(), Baseline::id, id);
    }
}
