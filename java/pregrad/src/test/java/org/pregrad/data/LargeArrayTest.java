package org.pregrad.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An array beyond 4 GiB, as NumPy writes it: zip64, stored. The file has a hole instead of its zeros. */
class LargeArrayTest {
    private static final int SAMPLES = 1100;
    private static final int PER_SAMPLE = 1 << 20;
    private static final int ENTRY_SIZE = 46;
    private static final int EXTRA64_SIZE = 28;
    private static final byte[] NAME = "x.npy".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private static Path directory;

    private static Path file;

    @BeforeAll
    static void writeFile() throws IOException {
        file = directory.resolve("large.npz");
        write(file);
    }

    @Test
    void isReadInTheMemoryOfTwoBatches() throws IOException {
        int batchSize = 20;
        long before = directBytes();
        try (ArrayFile data = ArrayFile.open(file);
                ArrayReader reader = data.open("x")) {
            assertThat(reader.elements()).isEqualTo((long) SAMPLES * PER_SAMPLE);
            float last = 0;
            for (int sample = 0; sample < SAMPLES; sample += batchSize) {
                ByteBuffer batch = reader.next(batchSize * PER_SAMPLE);
                assertThat(batch.getFloat(0)).isZero();
                assertThat(directBytes() - before).isLessThan(3L * batchSize * PER_SAMPLE * Float.BYTES);
                last = batch.getFloat(batch.limit() - Float.BYTES);
            }
            assertThat(last).isEqualTo(42);
        }
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    private static void write(Path file) throws IOException {
        byte[] header = TestNpz.npy(
                1,
                "{'descr': '<f4', 'fortran_order': False, 'shape': (" + SAMPLES + ", " + PER_SAMPLE + "), }",
                new byte[0]);
        long values = 4L * SAMPLES * PER_SAMPLE;
        long size = header.length + values;
        byte[] end = TestNpz.little(4, to -> to.putFloat(42));
        long crc = crc(header, values - end.length, end);
        ByteBuffer local = buffer(30 + NAME.length);
        local.putInt(0x04034b50)
                .putShort((short) 45)
                .putShort((short) 0)
                .putShort((short) 0)
                .putInt(0);
        local.putInt((int) crc)
                .putInt(-1)
                .putInt(-1)
                .putShort((short) NAME.length)
                .putShort((short) 0)
                .put(NAME);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.write(local.flip());
            channel.write(ByteBuffer.wrap(header));
            channel.position(local.limit() + size - end.length);
            channel.write(ByteBuffer.wrap(end));
            channel.write(directory(crc, size, channel.position()));
        }
    }

    private static ByteBuffer directory(long crc, long size, long offset) {
        ByteBuffer to = buffer(ENTRY_SIZE + NAME.length + EXTRA64_SIZE + 56 + 20 + 22);
        to.putInt(0x02014b50)
                .putShort((short) 45)
                .putShort((short) 45)
                .putShort((short) 0)
                .putShort((short) 0)
                .putInt(0);
        to.putInt((int) crc).putInt(-1).putInt(-1).putShort((short) NAME.length).putShort((short) EXTRA64_SIZE);
        to.putShort((short) 0)
                .putShort((short) 0)
                .putShort((short) 0)
                .putInt(0)
                .putInt(-1)
                .put(NAME);
        to.putShort((short) 1).putShort((short) 24).putLong(size).putLong(size).putLong(0);
        long end64 = offset + to.position();
        to.putInt(0x06064b50)
                .putLong(44)
                .putShort((short) 45)
                .putShort((short) 45)
                .putInt(0)
                .putInt(0);
        to.putLong(1).putLong(1).putLong(end64 - offset).putLong(offset);
        to.putInt(0x07064b50).putInt(0).putLong(end64).putInt(1);
        to.putInt(0x06054b50)
                .putInt(0)
                .putShort((short) -1)
                .putShort((short) -1)
                .putInt(-1)
                .putInt(-1)
                .putShort((short) 0);
        return to.flip();
    }

    private static long crc(byte[] header, long zeros, byte[] end) {
        CRC32 crc = new CRC32();
        crc.update(header);
        byte[] chunk = new byte[1 << 20];
        for (long left = zeros; left > 0; left -= chunk.length) {
            crc.update(chunk, 0, (int) Math.min(left, chunk.length));
        }
        crc.update(end);
        return crc.getValue();
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
