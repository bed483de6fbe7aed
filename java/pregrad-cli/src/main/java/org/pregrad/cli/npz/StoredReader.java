package org.pregrad.cli.npz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/** Bytes as they lie in the file, mapped and not copied. */
final class StoredReader extends EntryReader {
    /** One mapping cannot exceed 2 GiB; fewer, larger ones spare system calls and map entries. */
    private static final long WINDOW = 256L << 20;

    private final FileChannel channel;
    private final long end;
    private long windowStart;
    private MappedByteBuffer window;
    private long position;

    StoredReader(FileChannel channel, ZipEntry entry, long start) {
        super(entry);
        this.channel = channel;
        this.position = start;
        this.end = start + entry.storedSize();
    }

    @Override
    ByteBuffer read(int bytes) throws IOException {
        if (window == null || position + bytes > windowStart + window.capacity()) {
            windowStart = position;
            window = channel.map(
                    FileChannel.MapMode.READ_ONLY, windowStart, Math.min(Math.max(bytes, WINDOW), end - position));
        }
        ByteBuffer view = window.slice((int) (position - windowStart), bytes);
        position += bytes;
        return view;
    }

    @Override
    public void close() {
        window = null;
    }
}
