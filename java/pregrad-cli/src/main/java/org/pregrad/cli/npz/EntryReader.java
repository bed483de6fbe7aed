package org.pregrad.cli.npz;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32;
import org.pregrad.cli.errors.UserException;

/** Hands out the uncompressed bytes of a zip entry from front to back, and checks their CRC at the end. */
abstract class EntryReader implements Closeable {
    private final ZipEntry entry;
    private final CRC32 crc = new CRC32();
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

    /** The next bytes; at most {@link #left}. They stay valid until the next but one call. */
    final ByteBuffer next(int bytes) throws IOException {
        if (bytes > left) {
            throw damaged("ends early");
        }
        ByteBuffer read = read(bytes);
        left -= bytes;
        crc.update(read.duplicate());
        if (left == 0 && crc.getValue() != entry.crc()) {
            throw damaged("does not have the checksum that the zip gives");
        }
        return read;
    }

    /** The next {@code bytes} bytes, with position 0. */
    abstract ByteBuffer read(int bytes) throws IOException;

    final UserException damaged(String what) {
        return new UserException(
                "entry " + entry.name() + " " + what + "; the file is damaged: copy it again or save it again");
    }
}
