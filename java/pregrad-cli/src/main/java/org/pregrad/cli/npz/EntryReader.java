package org.pregrad.cli.npz;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32;
import org.pregrad.cli.errors.UserException;

/** Hands out the uncompressed bytes of a zip entry from front to back, and checks their CRC at the end. */
abstract class EntryReader implements Closeable {
    /** So much is read at once and checked while it still lies in the processor's cache. */
    private static final int PIECE = 1 << 19;

    private final ZipEntry entry;
    private final CRC32 crc = new CRC32();
    private final RotatingBuffers buffers = new RotatingBuffers();
    private long left;

    EntryReader(ZipEntry entry) {
        this.entry = entry;
        this.left = entry.size();
    }

    static EntryReader open(FileChannel channel, ZipEntry entry) throws IOException {
        long start = ZipDirectory.dataOffset(channel, entry);
        return entry.method() == ZipEntry.STORED
                ? new StoredReader(channel, entry, start)
                : new DeflatedReader(channel, entry, start);
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
        if (bytes > left) {
            throw damaged("ends early");
        }
        ByteBuffer into = buffers.take(bytes);
        while (into.position() < bytes) {
            ByteBuffer piece = into.slice(into.position(), Math.min(PIECE, into.remaining()));
            read(piece);
            crc.update(piece.flip());
            into.position(into.position() + piece.limit());
        }
        left -= bytes;
        if (left == 0 && crc.getValue() != entry.crc()) {
            throw damaged("does not have the checksum that the zip gives");
        }
        return into.flip();
    }

    /** Fills the buffer with the next bytes. */
    abstract void read(ByteBuffer into) throws IOException;

    final UserException damaged(String what) {
        return new UserException(
                "entry " + entry.name() + " " + what + "; the file is damaged: copy it again or save it again");
    }
}
