package org.pregrad;

/** Which output y is taken per sample. */
public final class Target {
    private static final Target LABEL = new Target(0, 0);
    private static final Target PREDICTED = new Target(1, 0);

    private final int kind;
    private final long index;

    private Target(int kind, long index) {
        this.kind = kind;
        this.index = index;
    }

    /** {@return the output of the sample's label} */
    public static Target label() {
        return LABEL;
    }

    /** {@return the largest output of the sample} */
    public static Target predicted() {
        return PREDICTED;
    }

    /**
     * {@return the same output for every sample}
     *
     * @param index the number of the output, from 0
     * @throws ArgumentException if it is negative; one beyond the outputs is reported by {@link Attribution#add}
     */
    public static Target index(long index) {
        if (index < 0) {
            throw new ArgumentException("target " + index + " is negative: outputs count from 0");
        }
        return new Target(2, index);
    }

    /**
     * {@return the target of that name}
     *
     * @param text {@code label}, {@code predicted} or the number of an output
     * @throws ArgumentException if it is none of these
     */
    public static Target of(String text) {
        switch (text) {
            case "label":
                return LABEL;
            case "predicted":
                return PREDICTED;
            default:
                try {
                    return index(Long.parseLong(text));
                } catch (NumberFormatException e) {
                    throw new ArgumentException(
                            "unknown target '" + text + "': use label, predicted or the number of an output");
                }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Target && ((Target) other).kind == kind && ((Target) other).index == index;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(31L * kind + index);
    }

    /** {@return the text that {@link #of(String)} reads} */
    @Override
    public String toString() {
        return kind == 0 ? "label" : kind == 1 ? "predicted" : Long.toString(index);
    }
}
