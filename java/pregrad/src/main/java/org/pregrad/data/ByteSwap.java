package org.pregrad.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns elements of the other byte order into native ones. */
final class ByteSwap {
    private ByteSwap() {}

    /** Turns all elements of a buffer whose order is native. */
    static void inPlace(ByteBuffer elements, int size) {
        ByteBuffer foreign = elements.duplicate();
        foreign.order(elements.order() == ByteOrder.BIG_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        switch (size) {
            case Short.BYTES -> elements.asShortBuffer().put(foreign.asShortBuffer());
            case Integer.BYTES -> elements.asIntBuffer().put(foreign.asIntBuffer());
            case Long.BYTES -> elements.asLongBuffer().put(foreign.asLongBuffer());
            default -> throw new IllegalArgumentException("no elements of " + size + " bytes");
        }
    }
}
