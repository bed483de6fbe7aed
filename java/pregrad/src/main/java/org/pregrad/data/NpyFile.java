package org.pregrad.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** One array as NumPy's {@code save} writes it. */
final class NpyFile extends ArrayFile {
    /** What a model of one input calls it, as the format has no place for a name. */
    private static final String NAME = "x";

    NpyFile(Path path, FileChannel channel) {
        super(path, channel);
    }

    static boolean begins(ByteBuffer front) {
        return front.remaining() >= Integer.BYTES && front.getInt(0) == NpyReader.START;
    }

    @Override
    public List<String> names() {
        return List.of(NAME);
    }

    @Override
    public boolean isSingleArray() {
        return true;
    }

    @Override
    ArrayReader reader(String name) throws IOException {
        return NpyReader.open(
                path(),
                name,
                new StoredReader(channel(), 0, channel().size(), "array '" + name + "'", OptionalLong.empty()));
    }
}
