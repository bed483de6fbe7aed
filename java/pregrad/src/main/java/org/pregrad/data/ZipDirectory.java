package org.pregrad.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the central directory of a zip, zip64 included. The JDK's reader hides where an entry's bytes lie: through its
 * streams, which hand out arrays on the heap, a stored array with its checksum takes 1.7 times as long to come into direct
 * memory.
 */
final class ZipDirectory {
    private static final int END_SIGNATURE = 0x06054b50;
    private static final int END_SIZE = 22;
    private static final int LONGEST_COMMENT = 0xffff;
    private static final int LOCATOR64_SIGNATURE = 0x07064b50;
    private static final int LOCATOR64_SIZE = 20;
    private static final int END64_SIGNATURE = 0x06064b50;
    private static final int END64_SIZE = 56;
    private static final int ENTRY_SIGNATURE = 0x02014b50;
    private static final int ENTRY_SIZE = 46;
    private static final int LOCAL_SIGNATURE = 0x04034b50;
    private static final int LOCAL_SIZE = 30;
    private static final int ENCRYPTED = 1;
    private static final int ZIP64_EXTRA = 1;
    private static final long IN_EXTRA_32 = 0xffffffffL;
    private static final int IN_EXTRA_16 = 0xffff;

    /** Far above what any data set needs; a larger directory would only cost memory. */
    private static final int LARGEST_DIRECTORY = 16 << 20;

    private ZipDirectory() {}

    /** The entries by name, in the order of the directory. */
    static Map<String, ZipEntry> read(FileChannel channel) throws IOException {
        ByteBuffer directory = locate(channel);
        Map<String, ZipEntry> entries = new LinkedHashMap<>();
        while (directory.hasRemaining()) {
            ZipEntry entry = readEntry(directory);
            if (entries.put(entry.name(), entry) != null) {
                throw new ArrayFileException("the zip holds two entries named " + entry.name() + "; save it again");
            }
        }
        return entries;
    }

    /** Where the bytes of an entry start. */
    static long dataOffset(FileChannel channel, ZipEntry entry) throws IOException {
        if (entry.headerOffset() > channel.size() - LOCAL_SIZE) {
            throw damaged("the header of " + entry.name() + " lies behind the file's end");
        }
        ByteBuffer header = FileBytes.read(channel, entry.headerOffset(), LOCAL_SIZE);
        if (header.getInt(0) != LOCAL_SIGNATURE || Short.toUnsignedInt(header.getShort(8)) != entry.method()) {
            throw damaged("the header of " + entry.name() + " does not match the zip's directory");
        }
        long start = entry.headerOffset()
                + LOCAL_SIZE
                + Short.toUnsignedInt(header.getShort(26))
                + Short.toUnsignedInt(header.getShort(28));
        if (start > channel.size() || entry.storedSize() > channel.size() - start) {
            throw damaged("the bytes of " + entry.name() + " reach behind the file's end");
        }
        return start;
    }

    private static ByteBuffer locate(FileChannel channel) throws IOException {
        long fileSize = channel.size();
        int tailLength = (int) Math.min(fileSize, END_SIZE + LONGEST_COMMENT);
        ByteBuffer tail = FileBytes.read(channel, fileSize - tailLength, tailLength);
        for (int at = tailLength - END_SIZE; at >= 0; at--) {
            boolean commentFits = tail.getInt(at) == END_SIGNATURE
                    && Short.toUnsignedInt(tail.getShort(at + 20)) == tailLength - END_SIZE - at;
            if (commentFits) {
                return directoryBefore(
                        channel,
                        fileSize - tailLength + at,
                        tail.slice(at, END_SIZE).order(tail.order()));
            }
        }
        throw damaged("it has no end of a zip");
    }

    private static ByteBuffer directoryBefore(FileChannel channel, long endOffset, ByteBuffer end) throws IOException {
        int count = Short.toUnsignedInt(end.getShort(10));
        long size = Integer.toUnsignedLong(end.getInt(12));
        long offset = Integer.toUnsignedLong(end.getInt(16));
        long limit = endOffset;
        if (count == IN_EXTRA_16 || size == IN_EXTRA_32 || offset == IN_EXTRA_32) {
            limit = end64Offset(channel, endOffset);
            ByteBuffer end64 = FileBytes.read(channel, limit, END64_SIZE);
            size = end64.getLong(40);
            offset = end64.getLong(48);
        }
        if (size < 0 || offset < 0 || offset > limit || size > limit - offset) {
            throw damaged("its directory reaches behind the file's end");
        }
        if (size > LARGEST_DIRECTORY) {
            throw new ArrayFileException("its directory takes " + size + " bytes, more than a data set needs ("
                    + LARGEST_DIRECTORY + "); save only the arrays wanted");
        }
        return FileBytes.read(channel, offset, (int) size);
    }

    private static long end64Offset(FileChannel channel, long endOffset) throws IOException {
        if (endOffset >= LOCATOR64_SIZE + END64_SIZE) {
            ByteBuffer locator = FileBytes.read(channel, endOffset - LOCATOR64_SIZE, LOCATOR64_SIZE);
            long at = locator.getLong(8);
            boolean inside = at >= 0 && at <= endOffset - LOCATOR64_SIZE - END64_SIZE;
            if (locator.getInt(0) == LOCATOR64_SIGNATURE
                    && inside
                    && FileBytes.read(channel, at, Integer.BYTES).getInt() == END64_SIGNATURE) {
                return at;
            }
        }
        throw damaged("its zip64 directory is missing");
    }

    private static ZipEntry readEntry(ByteBuffer directory) {
        if (directory.remaining() < ENTRY_SIZE || directory.getInt(directory.position()) != ENTRY_SIGNATURE) {
            throw damaged("its directory breaks off");
        }
        ByteBuffer fixed = directory.slice(directory.position(), ENTRY_SIZE).order(directory.order());
        int nameLength = Short.toUnsignedInt(fixed.getShort(28));
        int extraLength = Short.toUnsignedInt(fixed.getShort(30));
        int commentLength = Short.toUnsignedInt(fixed.getShort(32));
        directory.position(directory.position() + ENTRY_SIZE);
        if (directory.remaining() < nameLength + extraLength + commentLength) {
            throw damaged("its directory breaks off");
        }
        byte[] nameBytes = new byte[nameLength];
        directory.get(nameBytes);
        String name = new String(nameBytes, StandardCharsets.UTF_8);
        ByteBuffer extra = directory.slice(directory.position(), extraLength).order(directory.order());
        directory.position(directory.position() + extraLength + commentLength);
        if ((fixed.getShort(8) & ENCRYPTED) != 0) {
            throw new ArrayFileException("entry " + name + " is encrypted; save the file again with numpy.savez");
        }
        return sized(name, fixed, zip64Sizes(extra));
    }

    private static ZipEntry sized(String name, ByteBuffer fixed, ByteBuffer sizes64) {
        long stored = Integer.toUnsignedLong(fixed.getInt(20));
        long size = Integer.toUnsignedLong(fixed.getInt(24));
        long offset = Integer.toUnsignedLong(fixed.getInt(42));
        // The zip64 extra field holds only the values that do not fit, in this order.
        size = size == IN_EXTRA_32 ? nextLong(sizes64, name) : size;
        stored = stored == IN_EXTRA_32 ? nextLong(sizes64, name) : stored;
        offset = offset == IN_EXTRA_32 ? nextLong(sizes64, name) : offset;
        int method = Short.toUnsignedInt(fixed.getShort(10));
        return new ZipEntry(name, method, Integer.toUnsignedLong(fixed.getInt(16)), stored, size, offset);
    }

    private static long nextLong(ByteBuffer sizes64, String name) {
        if (sizes64.remaining() < Long.BYTES) {
            throw damaged("entry " + name + " lacks its zip64 sizes");
        }
        return sizes64.getLong();
    }

    private static ByteBuffer zip64Sizes(ByteBuffer extra) {
        while (extra.remaining() >= 2 * Short.BYTES) {
            int id = Short.toUnsignedInt(extra.getShort());
            int length = Math.min(Short.toUnsignedInt(extra.getShort()), extra.remaining());
            if (id == ZIP64_EXTRA) {
                return extra.slice(extra.position(), length).order(extra.order());
            }
            extra.position(extra.position() + length);
        }
        return ByteBuffer.allocate(0);
    }

    private static ArrayFileException damaged(String what) {
        return new ArrayFileException(
                what + "; the file is damaged or incomplete: copy it again or save it again with numpy.savez");
    }
}
