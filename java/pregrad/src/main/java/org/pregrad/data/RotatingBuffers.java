package org.pregrad.data;

import java.nio.ByteBuffer;

/** Direct buffers in turn, so that one batch can be filled while those before are still in use. */
final class RotatingBuffers {
    /** A cache line: LibTorch multiplies samples that begin at one faster than those that Java puts 16 bytes behind it. */
    private static final int ALIGNMENT = 64;

    private ByteBuffer[] buffers = new ByteBuffer[2];
    private int turn;

    /** How many buffers there are from now on, by default 2; those that were taken are no longer valid. */
    void setCount(int count) {
        buffers = new ByteBuffer[count];
        turn = 0;
    }

    /** An empty buffer of {@code bytes} bytes; it stays valid until all others were taken too, and one more is. */
    ByteBuffer take(int bytes) {
        turn = (turn + 1) % buffers.length;
        if (buffers[turn] == null || buffers[turn].capacity() < bytes) {
            buffers[turn] = allocate(bytes);
        }
        return buffers[turn].clear().limit(bytes).slice();
    }

    private static ByteBuffer allocate(int bytes) {
        return bytes > Integer.MAX_VALUE - 2 * ALIGNMENT
                ? ByteBuffer.allocateDirect(bytes)
                : ByteBuffer.allocateDirect(bytes + 2 * ALIGNMENT).alignedSlice(ALIGNMENT);
    }
}
