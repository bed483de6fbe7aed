package org.pregrad.cli.npz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns elements of the other byte order into native ones. */
final class ByteSwap {
    private ByteSwap() {}

    /** Copies {@code from} into {@code to}, whose order is native, and leaves {@code to} at its end. */
    static void copy(ByteBuffer from, ByteBuffer to, int size) {
        ByteBuffer foreign = from.duplicate();
        foreign.order(to.order() == ByteOrder.BIG_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        switch (size) {
            case Short.BYTES -> to.asShortBuffer().put(foreign.asShortBuffer());
            case Integer.BYTES -> to.asIntBuffer().put(foreign.asIntBuffer());
            case Long.BYTES -> to.asLongBuffer().put(foreign.asLongBuffer());
            default -> throw new IllegalArgumentException("no elements of " + size + " bytes");
        }
        to.position(to.limit());
    }
}
