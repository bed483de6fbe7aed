package org.pregrad;

/** What becomes of a layer's positions: the axes of its tensors that are neither batch nor neurons. */
public enum Positions {
    /** One score per neuron: gradients are summed over the positions, values averaged. */
    TOGETHER("together"),
    /**
     * One score per neuron and position, for layers that have positions: the terms that the gradient and path methods sum,
     * the values themselves, their means over the samples for which the position counts. Positions are numbered row-major
     * over their axes, from the start: batches may differ in the first of these axes. What concerns a neuron at all its
     * positions, {@link Method#ABLATION} and {@link Method#RANDOM}, has one score without a position all the same.
     */
    EACH("each");

    private final String id;

    Positions(String id) {
        this.id = id;
    }

    /** {@return the name used by the command, e.g. {@code each}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the choice of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no choice has that name
     */
    public static Positions of(String id) {
        return Ids.find("choice of positions", values(), Positions::id, id);
    }
}
