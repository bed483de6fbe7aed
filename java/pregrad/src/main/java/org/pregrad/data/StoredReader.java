package org.pregrad.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.OptionalLong;

/**
 * Bytes as they lie in the file. They are copied rather than mapped: a mapped file that somebody shortens meanwhile kills
 * the process, and the copy goes through memory that the processor's cache holds.
 */
final class StoredReader extends ByteReader {
    private final FileChannel channel;
    private final long end;
    private long position;

    /** {@code size} bytes from {@code start} on. */
    StoredReader(FileChannel channel, long start, long size, String what, OptionalLong crc) {
        super(what, size, crc);
        this.channel = channel;
        this.position = start;
        this.end = start + size;
    }

    @Override
    void read(ByteBuffer into) throws IOException {
        while (into.hasRemaining()) {
            int count = position + into.remaining() > end ? -1 : channel.read(into, position);
            if (count < 0) {
                throw damaged("breaks off");
            }
            position += count;
        }
    }

    @Override
    public void close() {
        // The channel is the file's.
    }
}
