package org.pregrad.data;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Reads small pieces of a file at given places. */
final class FileBytes {
    private FileBytes() {}

    /** {@code length} bytes from {@code offset}, little endian. */
    static ByteBuffer read(FileChannel channel, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException("the file ends at byte " + (offset + bytes.position()));
            }
        }
        return bytes.flip();
    }
}
