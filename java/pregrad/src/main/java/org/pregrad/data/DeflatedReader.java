package org.pregrad.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.OptionalLong;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Bytes inflated as they are asked for, so that a large entry never lies in memory as a whole. */
final class DeflatedReader extends ByteReader {
    private static final int CHUNK = 1 << 16;

    private final FileChannel channel;
    private final Inflater inflater = new Inflater(true);
    private final long end;
    private long position;

    DeflatedReader(FileChannel channel, long start, ZipEntry entry) {
        super(entry.what(), entry.size(), OptionalLong.of(entry.crc()));
        this.channel = channel;
        this.position = start;
        this.end = start + entry.storedSize();
    }

    @Override
    void read(ByteBuffer into) throws IOException {
        try {
            while (into.hasRemaining()) {
                if (inflater.needsInput()) {
                    refill();
                }
                if (inflater.inflate(into) == 0 && (inflater.finished() || inflater.needsDictionary())) {
                    throw damaged("unpacks to fewer bytes than the zip gives");
                }
            }
        } catch (DataFormatException e) {
            throw damaged("cannot be unpacked");
        }
    }

    private void refill() throws IOException {
        int length = (int) Math.min(CHUNK, end - position);
        if (length == 0) {
            throw damaged("breaks off");
        }
        inflater.setInput(FileBytes.read(channel, position, length));
        position += length;
    }

    @Override
    public void close() {
        inflater.end();
    }
}
