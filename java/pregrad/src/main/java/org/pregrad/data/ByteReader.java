package org.pregrad.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.zip.CRC32;

/** Hands out the bytes of an array's file, uncompressed, from front to back, and checks their CRC at the end if there is one. */
abstract class ByteReader implements Closeable {
    /** So much is read at once and checked while it still lies in the processor's cache. */
    private static final int PIECE = 1 << 19;

    private final String what;
    private final OptionalLong expectedCrc;
    private final CRC32 crc = new CRC32();
    private final RotatingBuffers buffers = new RotatingBuffers();
    private long left;

    /**
     * @param what the bytes are, for messages
     * @param size how many there are
     * @param crc  CRC-32 of them all, where the file gives one
     */
    ByteReader(String what, long size, OptionalLong crc) {
        this.what = what;
        this.left = size;
        this.expectedCrc = crc;
    }

    /** What the bytes are, for messages. */
    final String what() {
        return what;
    }

    /** Bytes not yet handed out. */
    final long left() {
        return left;
    }

    /** Lets so many buffers of {@link #next} be valid at a time, the newest included. */
    final void keep(int buffersAtOnce) {
        buffers.setCount(buffersAtOnce);
    }

    /** The next bytes, at most {@link #left}, with position 0. They stay valid until the next but one call, unless more are kept. */
    final ByteBuffer next(int bytes) throws IOException {
        ByteBuffer into = buffers.take(bytes);
        while (into.position() < bytes) {
            ByteBuffer piece = into.slice(into.position(), Math.min(PIECE, into.remaining()));
            read(piece);
            piece.flip();
            if (expectedCrc.isPresent()) {
                crc.update(piece);
            }
            into.position(into.position() + piece.limit());
        }
        left -= bytes;
        if (left == 0 && expectedCrc.isPresent() && crc.getValue() != expectedCrc.getAsLong()) {
            throw damaged("does not have the checksum that the zip gives");
        }
        return into.flip();
    }

    /** Fills the buffer with the next bytes. */
    abstract void read(ByteBuffer into) throws IOException;

    final ArrayFileException damaged(String how) {
        return new ArrayFileException(what + " " + how + "; the file is damaged: copy it again or save it again");
    }
}
