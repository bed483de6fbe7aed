package org.pregrad.cli.npz;

import java.nio.ByteOrder;

/**
 * The type of an array's elements.
 *
 * @param kind  what an element is
 * @param size  bytes of an element
 * @param order byte order of an element
 */
public record NpyType(Kind kind, int size, ByteOrder order) {
    /** What an element is. */
    public enum Kind {
        BOOLEAN("bool"),
        SIGNED("int"),
        UNSIGNED("uint"),
        FLOAT("float");

        private final String word;

        Kind(String word) {
            this.word = word;
        }
    }

    /** Whether elements are whole numbers (booleans are 0 and 1). */
    public boolean isInteger() {
        return kind != Kind.FLOAT;
    }

    /** NumPy's name, e.g. {@code float32}. */
    @Override
    public String toString() {
        return kind == Kind.BOOLEAN ? kind.word : kind.word + size * Byte.SIZE;
    }
}
