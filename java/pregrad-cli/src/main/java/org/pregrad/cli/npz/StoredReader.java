package org.pregrad.cli.npz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Bytes as they lie in the file. They are copied rather than mapped: a mapped file that somebody shortens meanwhile kills
 * the process, and the copy goes through memory that the processor's cache holds.
 */
final class StoredReader extends EntryReader {
    private final FileChannel channel;
    private final long end;
    private long position;

    StoredReader(FileChannel channel, ZipEntry entry, long start) {
        super(entry);
        this.channel = channel;
        this.position = start;
        this.end = start + entry.storedSize();
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
