package org.pregrad;

/**
 * How the values v of a cluster's n samples are summed up, per neuron. All have the unit of the method but the
 * cancellation, which has none.
 */
public enum Aggregate {
    /** Σv / n. Values of both signs cancel. */
    MEAN("mean"),
    /** Σ|v| / n. */
    MEAN_ABS("mean_abs"),
    /** √(Σv² / n). */
    RMS("rms"),
    /** √(Σ(v − mean)² / n), the population's. */
    STD("std"),
    /** |mean| / mean_abs in [0, 1]: 1 where all samples agree in sign, near 0 where they cancel; NaN where all are 0. */
    CANCELLATION("cancellation");

    private final String id;

    Aggregate(String id) {
        this.id = id;
    }

    /** {@return the name used by the command and in files, e.g. {@code mean_abs}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the aggregate of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no aggregate has that name
     */
    public static Aggregate of(String id) {
        return Ids.find("aggregate", values(), Aggregate::id, id);
    }
}
