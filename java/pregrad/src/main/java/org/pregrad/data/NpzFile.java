package org.pregrad.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Arrays as NumPy's {@code savez} and {@code savez_compressed} write them. */
final class NpzFile extends ArrayFile {
    private static final String SUFFIX = ".npy";
    private static final int ZIP_START = 0x04034b50;
    private static final int EMPTY_ZIP_START = 0x06054b50;

    private final Map<String, ZipEntry> entries;
    private final List<String> names;

    NpzFile(Path path, FileChannel channel) throws IOException {
        super(path, channel);
        entries = ZipDirectory.read(channel);
        names = entries.keySet().stream()
                .filter(name -> name.endsWith(SUFFIX))
                .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                .toList();
    }

    static boolean begins(ByteBuffer front) {
        int start = front.remaining() < Integer.BYTES ? 0 : front.getInt(0);
        return start == ZIP_START || start == EMPTY_ZIP_START;
    }

    @Override
    public List<String> names() {
        return names;
    }

    @Override
    ArrayReader reader(String name) throws IOException {
        ZipEntry entry = entries.get(name + SUFFIX);
        long start = ZipDirectory.dataOffset(channel(), entry);
        return NpyReader.open(
                path(),
                name,
                entry.method() == ZipEntry.STORED
                        ? new StoredReader(channel(), start, entry.size(), entry.what(), OptionalLong.of(entry.crc()))
                        : new DeflatedReader(channel(), start, entry));
    }
}
