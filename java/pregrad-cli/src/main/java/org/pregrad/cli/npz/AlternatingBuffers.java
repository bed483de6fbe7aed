package org.pregrad.cli.npz;

import java.nio.ByteBuffer;

/** Two direct buffers in turn, so that one batch can be filled while the one before is still in use. */
final class AlternatingBuffers {
    private final ByteBuffer[] buffers = new ByteBuffer[2];
    private int turn;

    /** An empty buffer of {@code bytes} bytes; it stays valid until the next but one call. */
    ByteBuffer take(int bytes) {
        turn = 1 - turn;
        if (buffers[turn] == null || buffers[turn].capacity() < bytes) {
            buffers[turn] = ByteBuffer.allocateDirect(bytes);
        }
        return buffers[turn].clear().limit(bytes).slice();
    }
}
