package org.pregrad.data;

import java.nio.ByteOrder;
import java.util.Locale;

/**
 * The type of an array's elements as a .npy header gives it.
 *
 * @param kind  what an element is
 * @param size  bytes of an element
 * @param order byte order of an element
 */
record NpyType(Kind kind, int size, ByteOrder order) {
    /** What an element is. */
    enum Kind {
        BOOLEAN("bool"),
        SIGNED("int"),
        UNSIGNED("uint"),
        FLOAT("float"),
        /** NumPy's {@code U}: 4 bytes a character, zeros behind the last. */
        UNICODE("str"),
        /** NumPy's {@code S}: UTF-8, zeros behind the last byte. */
        BYTES("bytes");

        private final String word;

        Kind(String word) {
            this.word = word;
        }
    }

    /** The same without its byte order; of every kind there are the sizes that headers are parsed for. */
    ElementType element() {
        if (isText()) {
            return ElementType.TEXT;
        }
        return ElementType.valueOf(toString().toUpperCase(Locale.ROOT));
    }

    boolean isText() {
        return kind == Kind.UNICODE || kind == Kind.BYTES;
    }

    /** NumPy's name, e.g. {@code float32}. */
    @Override
    public String toString() {
        return kind == Kind.BOOLEAN ? kind.word : kind.word + size * Byte.SIZE;
    }
}
