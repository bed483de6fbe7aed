package org.pregrad;

/** What removing a neuron means; it concerns all its positions. */
public enum Removal {
    /** a := 0. */
    ZERO("zero"),
    /** z := 0, for everything that reads z. */
    ZERO_PREACTIVATION("zero-preactivation"),
    /** a := its mean over the samples of all clusters and their positions. */
    MEAN("mean");

    private final String id;

    Removal(String id) {
        this.id = id;
    }

    /** {@return the name used by the command, e.g. {@code zero-preactivation}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the removal of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no removal has that name
     */
    public static Removal of(String id) {
        return Ids.find("removal", values(), Removal::id, id);
    }
}
