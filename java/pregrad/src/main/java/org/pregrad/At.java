package org.pregrad;

import java.util.Objects;

/** At which positions of an output [N, positions..., outputs] y is read. */
public final class At {
    private static final At LAST = new At("last");
    private static final At FIRST = new At("first");
    private static final At EACH = new At("each");
    private static final At MEAN = new At("mean");

    private final String text;

    private At(String text) {
        this.text = text;
    }

    /** {@return the last position that counts} */
    public static At last() {
        return LAST;
    }

    /** {@return the first position that counts} */
    public static At first() {
        return FIRST;
    }

    /** {@return all positions that count: y is the sum over them} */
    public static At each() {
        return EACH;
    }

    /** {@return all positions that count: y is the mean over them} */
    public static At mean() {
        return MEAN;
    }

    /**
     * {@return the same position for every sample}
     *
     * @param index in the order of memory, from 0; from the end where it is negative
     */
    public static At index(long index) {
        return new At(Long.toString(index));
    }

    /**
     * {@return the positions of that name}
     *
     * @param text {@code last}, {@code first}, {@code each}, {@code mean} or the number of a position
     * @throws ArgumentException if it is none of these
     */
    public static At of(String text) {
        Objects.requireNonNull(text, "text");
        switch (text) {
            case "last":
                return LAST;
            case "first":
                return FIRST;
            case "each":
                return EACH;
            case "mean":
                return MEAN;
            default:
                try {
                    return index(Long.parseLong(text));
                } catch (NumberFormatException e) {
                    throw new ArgumentException("unknown positions '" + text
                            + "': use last, first, each, mean or the number of a position");
                }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof At && ((At) other).text.equals(text);
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
