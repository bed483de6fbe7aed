package org.pregrad.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An array as NumPy's {@code save} writes it: a header, then the elements. */
final class NpyReader extends ArrayReader {
    /** The first bytes, little endian. */
    static final int START = 0x4d554e93;

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /** The header of an array of numbers takes about a hundred bytes. */
    private static final int LONGEST_HEADER = 1 << 16;

    private final ByteReader bytes;
    private final NpyType type;

    private NpyReader(Path file, String name, NpyHeader header, ByteReader bytes) {
        super(file, name, header.type().element(), header.shape(), header.fortran());
        this.bytes = bytes;
        this.type = header.type();
    }

    /**
     * Reads the header.
     *
     * @throws ArrayFileException if it is none, or does not describe these bytes
     */
    static NpyReader open(Path file, String name, ByteReader bytes) throws IOException {
        NpyHeader header = readHeader(name, bytes);
        checkSize(name, header, bytes.left());
        return new NpyReader(file, name, header, bytes);
    }

    @Override
    public void keep(int buffersAtOnce) {
        bytes.keep(buffersAtOnce);
    }

    @Override
    ByteBuffer read(int elements) throws IOException {
        ByteBuffer next = bytes.next(elements * type.size()).order(ByteOrder.nativeOrder());
        if (type.size() > 1 && !type.isText() && type.order() != ByteOrder.nativeOrder()) {
            ByteSwap.inPlace(next, type.size());
        }
        return next;
    }

    @Override
    int elementSize() {
        return type.size();
    }

    @Override
    List<String> texts(ByteBuffer bytes, int elements) {
        List<String> texts = new ArrayList<>(elements);
        ByteBuffer all = bytes.duplicate().order(type.order());
        for (int element = 0; element < elements; element++) {
            int first = element * type.size();
            texts.add(type.kind() == NpyType.Kind.UNICODE ? characters(all, first) : utf8(all, first));
        }
        return texts;
    }

    private String characters(ByteBuffer all, int first) {
        int last = first + type.size();
        while (last > first && all.getInt(last - Integer.BYTES) == 0) {
            last -= Integer.BYTES;
        }
        StringBuilder text = new StringBuilder();
        for (int place = first; place < last; place += Integer.BYTES) {
            int character = all.getInt(place);
            if (!Character.isValidCodePoint(character)) {
                throw new ArrayFileException("array '" + name() + "' holds text with a character " + character
                        + " that Unicode does not have; the file is damaged: save it again");
            }
            text.appendCodePoint(character);
        }
        return text.toString();
    }

    private String utf8(ByteBuffer all, int first) {
        int last = first + type.size();
        while (last > first && all.get(last - 1) == 0) {
            last--;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(all.slice(first, last - first))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ArrayFileException(
                    "array '" + name() + "' holds bytes that are no UTF-8; save it as text: np.char.decode(" + name()
                            + ", 'latin1')",
                    e);
        }
    }

    @Override
    public void close() throws IOException {
        bytes.close();
    }

    private static NpyHeader readHeader(String name, ByteReader bytes) throws IOException {
        ByteBuffer front = take(bytes, MAGIC.length + 2);
        for (byte expected : MAGIC) {
            if (front.get() != expected) {
                throw damaged(bytes);
            }
        }
        int version = front.get();
        if (version < 1 || version > 3) {
            throw new ArrayFileException("array '" + name + "' is written in version " + version
                    + " of the .npy format; save it again with a NumPy that writes version 1 to 3");
        }
        ByteBuffer lengthBytes =
                take(bytes, version == 1 ? Short.BYTES : Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        long length = version == 1
                ? Short.toUnsignedInt(lengthBytes.getShort())
                : Integer.toUnsignedLong(lengthBytes.getInt());
        if (length > LONGEST_HEADER) {
            throw damaged(bytes);
        }
        byte[] text = new byte[(int) length];
        take(bytes, text.length).get(text);
        return NpyHeaderParser.parse(
                name, new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1));
    }

    private static ByteBuffer take(ByteReader bytes, int count) throws IOException {
        if (bytes.left() < count) {
            throw damaged(bytes);
        }
        return bytes.next(count);
    }

    private static void checkSize(String name, NpyHeader header, long held) {
        long needed;
        try {
            needed = Math.multiplyExact(header.elements(), header.type().size());
        } catch (ArithmeticException e) {
            throw new ArrayFileException("array '" + name + "' gives a shape beyond any memory, "
                    + header.shapeInWords() + "; the file is damaged: save it again");
        }
        if (needed != held) {
            throw new ArrayFileException("array '" + name + "' is " + header.shapeInWords() + " of " + header.type()
                    + " and needs " + needed + " bytes, but the file holds " + held + "; it is damaged: save it again");
        }
    }

    private static ArrayFileException damaged(ByteReader bytes) {
        return new ArrayFileException(bytes.what() + " is no NumPy array; save it with numpy.savez");
    }
}
