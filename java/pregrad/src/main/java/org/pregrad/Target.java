package org.pregrad;

/** Which output y is taken per sample. */
public final class Target {
    private static final Target LABEL = new Target("label");
    private static final Target PREDICTED = new Target("predicted");
    private static final Target WEIGHTS = new Target("weights");

    private final String text;

    private Target(String text) {
        this.text = text;
    }

    /**
     * {@return the output of the sample's label or, at each position, of the position's; of a model with one output labels
     * are 0 or 1, and y is −output for 0, as in a softmax of (0, output)}
     */
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
        return new Target(Long.toString(index));
    }

    /**
     * {@return one output minus another, the same for every sample}
     *
     * @param plus the number of the output that counts, from 0
     * @param minus the number of the output that is subtracted, from 0
     * @throws ArgumentException if one is negative; one beyond the outputs is reported by {@link Attribution#add}
     */
    public static Target difference(long plus, long minus) {
        if (plus < 0 || minus < 0) {
            throw new ArgumentException(
                    "target " + plus + " minus " + minus + " has a negative output: outputs count from 0");
        }
        return new Target(plus + "-" + minus);
    }

    /**
     * {@return the outputs weighted, y = Σ w·output; the weights, floating-point numbers [N, outputs], are given in the place
     * of the labels: {@link Attribution#add(Inputs, Input, long[])}}
     */
    public static Target weights() {
        return WEIGHTS;
    }

    /**
     * {@return the target of that name}
     *
     * @param text {@code label}, {@code predicted}, {@code weights}, the number of an output, or two with a minus between
     *     them ({@code 3-5})
     * @throws ArgumentException if it is none of these
     */
    public static Target of(String text) {
        switch (text) {
            case "label":
                return LABEL;
            case "predicted":
                return PREDICTED;
            case "weights":
                return WEIGHTS;
            default:
                int between = text.indexOf('-', 1);
                try {
                    return between < 0
                            ? index(Long.parseLong(text))
                            : difference(
                                    Long.parseLong(text.substring(0, between)),
                                    Long.parseLong(text.substring(between + 1)));
                } catch (NumberFormatException e) {
                    throw new ArgumentException("unknown target '" + text
                            + "': use label, predicted, weights, the number of an output, or two with a minus between "
                            + "them (3-5)");
                }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Target && ((Target) other).text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** {@return the text that {@link #of(String)} reads} */
    @Override
    public String toString() {
        return text;
    }
}
