package org.pregrad.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes .npz files, good and bad ones. */
public final class TestNpz {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final ZipOutputStream zip = new ZipOutputStream(bytes);
    private boolean deflated;

    /** From here on arrays are compressed. */
    public TestNpz deflated() {
        deflated = true;
        return this;
    }

    /** An array of that type and shape, e.g. {@code "<f4"} and {@code "(2, 3)"}. */
    public TestNpz array(String name, String type, String shape, byte[] values) {
        return entry(
                name + ".npy",
                npy(1, "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }", values));
    }

    public TestNpz floats(String name, String shape, float... values) {
        return array(name, "<f4", shape, little(4 * values.length, to -> to.asFloatBuffer()
                .put(values)));
    }

    public TestNpz longs(String name, String shape, long... values) {
        return array(name, "<i8", shape, little(8 * values.length, to -> to.asLongBuffer()
                .put(values)));
    }

    public TestNpz entry(String name, byte[] content) {
        try {
            ZipEntry entry = new ZipEntry(name);
            entry.setTime(0);
            if (!deflated) {
                CRC32 crc = new CRC32();
                crc.update(content);
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(content.length);
                entry.setCrc(crc.getValue());
            }
            zip.putNextEntry(entry);
            zip.write(content);
            zip.closeEntry();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return this;
    }

    public byte[] bytes() {
        try {
            zip.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    public Path write(Path file) throws IOException {
        return Files.write(file, bytes());
    }

    /** A whole .npy file. */
    public static byte[] npy(int version, String header, byte[] values) {
        byte[] text = (header + "\n").getBytes(version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
        return little(8 + (version == 1 ? 2 : 4) + text.length + values.length, to -> {
            to.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
            if (version == 1) {
                to.putShort((short) text.length);
            } else {
                to.putInt(text.length);
            }
            to.put(text).put(values);
        });
    }

    public static byte[] little(int length, Consumer<ByteBuffer> fill) {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        fill.accept(buffer);
        return buffer.array();
    }

    public static byte[] big(int length, Consumer<ByteBuffer> fill) {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.BIG_ENDIAN);
        fill.accept(buffer);
        return buffer.array();
    }
}
