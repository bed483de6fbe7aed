package org.pregrad.data;

import java.util.Locale;

/** The type of an array's elements. */
public enum ElementType {
    /** 0 or 1 in a byte. */
    BOOL(1),
    /** A signed integer of 8 bits. */
    INT8(1),
    /** A signed integer of 16 bits. */
    INT16(2),
    /** A signed integer of 32 bits. */
    INT32(4),
    /** A signed integer of 64 bits. */
    INT64(8),
    /** An unsigned integer of 8 bits. */
    UINT8(1),
    /** An unsigned integer of 16 bits. */
    UINT16(2),
    /** An unsigned integer of 32 bits. */
    UINT32(4),
    /** An unsigned integer of 64 bits. */
    UINT64(8),
    /** A float of 16 bits, as IEEE 754 has it. */
    FLOAT16(2),
    /** A float of 32 bits. */
    FLOAT32(4),
    /** A float of 64 bits. */
    FLOAT64(8),
    /** Text of so many characters as the array has room for: {@link ArrayReader#texts} reads it. */
    TEXT(0);

    private final int size;

    ElementType(int size) {
        this.size = size;
    }

    /** {@return the bytes of an element; 0 for text, whose arrays differ} */
    public int size() {
        return size;
    }

    /** {@return whether elements are whole numbers; booleans are 0 and 1} */
    public boolean isInteger() {
        return compareTo(FLOAT16) < 0;
    }

    /** {@return NumPy's name, e.g. {@code float32}} */
    public String id() {
        return this == TEXT ? "str" : name().toLowerCase(Locale.ROOT);
    }
}
