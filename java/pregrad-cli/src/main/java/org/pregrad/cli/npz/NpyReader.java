package org.pregrad.cli.npz;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.pregrad.cli.errors.UserException;

/** One array of a .npz file: its header, then its elements from front to back. */
public final class NpyReader implements Closeable {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /** The header of an array of numbers takes about a hundred bytes. */
    private static final int LONGEST_HEADER = 1 << 16;

    private final String name;
    private final EntryReader entry;
    private final NpyHeader header;

    NpyReader(String name, EntryReader entry) throws IOException {
        this.name = name;
        this.entry = entry;
        this.header = readHeader();
        checkSize();
    }

    /** The array's name, without {@code .npy}. */
    public String name() {
        return name;
    }

    /** Type and shape. */
    public NpyHeader header() {
        return header;
    }

    /** Lets so many buffers of {@link #next} be valid at a time, the newest included; before the first of them. */
    public void keep(int buffersAtOnce) {
        entry.keep(buffersAtOnce);
    }

    /**
     * The next elements as a direct buffer in native byte order, aligned to the element size, position 0. It stays valid
     * until the next but one call, unless more are kept.
     */
    public ByteBuffer next(int elements) throws IOException {
        int size = header.type().size();
        ByteBuffer bytes = entry.next(Math.multiplyExact(elements, size)).order(ByteOrder.nativeOrder());
        if (size > 1 && header.type().order() != ByteOrder.nativeOrder()) {
            ByteSwap.inPlace(bytes, size);
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        entry.close();
    }

    private NpyHeader readHeader() throws IOException {
        ByteBuffer front = take(MAGIC.length + 2);
        for (byte expected : MAGIC) {
            if (front.get() != expected) {
                throw damaged();
            }
        }
        int version = front.get();
        if (version < 1 || version > 3) {
            throw new UserException("array '" + name + "' is written in version " + version
                    + " of the .npy format; save it again with a NumPy that writes version 1 to 3");
        }
        ByteBuffer lengthBytes =
                take(version == 1 ? Short.BYTES : Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        long length = version == 1
                ? Short.toUnsignedInt(lengthBytes.getShort())
                : Integer.toUnsignedLong(lengthBytes.getInt());
        if (length > LONGEST_HEADER) {
            throw damaged();
        }
        byte[] text = new byte[(int) length];
        take(text.length).get(text);
        return NpyHeaderParser.parse(
                name, new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1));
    }

    private ByteBuffer take(int bytes) throws IOException {
        if (entry.left() < bytes) {
            throw damaged();
        }
        return entry.next(bytes);
    }

    private void checkSize() {
        long bytes;
        try {
            bytes = Math.multiplyExact(header.elements(), header.type().size());
        } catch (ArithmeticException e) {
            throw new UserException("array '" + name + "' gives a shape beyond any memory, " + header.shapeInWords()
                    + "; the file is damaged: save it again");
        }
        if (bytes != entry.left()) {
            throw new UserException(
                    "array '" + name + "' is " + header.shapeInWords() + " of " + header.type() + " and needs " + bytes
                            + " bytes, but the file holds " + entry.left() + "; it is damaged: save it again");
        }
    }

    private UserException damaged() {
        return new UserException("entry " + name + ".npy is no NumPy array; save it with numpy.savez");
    }
}
