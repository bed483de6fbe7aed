package org.pregrad.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * .npz and .npy files with one to three damages, which follow from a seed: in the type, order and shape of a header, its text
 * and length; in the bytes of an array; in names; in the zip around them. Each is refused, or gives the bytes that were
 * written.
 *
 * <p>As a program: {@code NpzMutations FIRST COUNT}.
 */
public final class NpzMutations {
    private static final int MOST_AT_ONCE = 1 << 16;
    private static final int MOST_READ = 1 << 20;
    private static final int LONGEST_MESSAGE = 4096;
    private static final long PATIENCE_S = 60;
    private static final byte[] DIRECTORY_ENTRY = {'P', 'K', 1, 2};
    private static final byte[] LOCAL_ENTRY = {'P', 'K', 3, 4};

    private static final String[] TYPES = {
        ">f4",
        "<f8",
        "|b1",
        "<f2",
        "<i2",
        ">i8",
        "|u1",
        "<u8",
        "=f4",
        "<U5",
        "|O",
        "|S3",
        "<c8",
        "<M8[s]",
        "<f4;",
        "",
        "f",
        "<f99999999999",
        "<f-4",
        "\\x3cf4",
        "<f4\\'",
        "[('a', '<f4')]",
        "|V4",
        "<i16",
        "'",
        "\u0000",
        "<\u00e9"
    };
    private static final String[] SHAPES = {
        "()",
        "(0,)",
        "(-1,)",
        "(12,)",
        "(3, 4)",
        "(4, 3, 1)",
        "(4, 3",
        "4",
        "(4L, 3L)",
        "(1e3,)",
        "(2147483648,)",
        "(9223372036854775807, 2)",
        "(4294967296, 4294967296, 4)",
        "(0, 9223372036854775807)",
        "(4.0, 3)",
        "[4, 3]",
        "(99999999999999999999999999,)",
        "(0x4, 3)",
        "(4, None)",
        "(4,, 3)",
        "(,)",
        "(4 3)",
        "(+4, 3)",
        "(4_0, 3)",
        "None"
    };
    private static final String[] ORDERS = {"True", "true", "1", "None", "'False'", "", "Fals", "__import__('os')"};

    private final SplittableRandom random;
    private final List<Array> arrays = new ArrayList<>();
    private boolean isOverlarge;

    /** What is written as an entry. */
    private static final class Array {
        private String name;
        private String type;
        private String order = "False";
        private String shape;
        private String header;
        private int version = 1;
        private int lengthOff;
        private byte[] values;
        private boolean isDeflated;

        Array(String name, String type, String shape, byte[] values) {
            this.name = name;
            this.type = type;
            this.shape = shape;
            this.values = values;
        }

        byte[] npy() {
            String text = header != null
                    ? header
                    : "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
            byte[] bytes = TestNpz.npy(version, text, values);
            if (lengthOff != 0 && version == 1) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
                buffer.putShort(8, (short) (buffer.getShort(8) + lengthOff));
            }
            return bytes;
        }
    }

    private NpzMutations(long seed) {
        random = new SplittableRandom(seed);
        byte[] floats = bytes(48);
        byte[] longs = bytes(32);
        arrays.add(new Array("x.npy", "<f4", "(4, 3)", floats));
        arrays.add(new Array("y.npy", "<i8", "(4,)", longs));
        arrays.add(new Array("cluster.npy", "<i4", "(4,)", bytes(16)));
        arrays.forEach(array -> array.isDeflated = random.nextInt(3) == 0);
    }

    /** Tries seeds; what fails is told with its seed, and a file that takes too long ends the process. */
    public static void main(String[] arguments) throws IOException {
        long first = Long.parseLong(arguments[0]);
        long count = Long.parseLong(arguments[1]);
        long[] now = {first};
        Thread watch = new Thread(() -> watch(now));
        watch.setDaemon(true);
        watch.start();
        Path folder = Files.createTempDirectory("pregrad-npz");
        long read = 0;
        long failed = 0;
        for (long seed = first; seed < first + count; seed++) {
            synchronized (now) {
                now[0] = seed;
            }
            try {
                read += attempt(seed, folder) ? 1 : 0;
            } catch (IOException | RuntimeException | AssertionError | StackOverflowError | OutOfMemoryError e) {
                failed++;
                System.err.println("seed " + seed + ": " + e);
            }
        }
        Files.deleteIfExists(folder.resolve("mutated.npz"));
        Files.delete(folder);
        System.out.println(read + " of " + count + " seeds from " + first + " gave arrays, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    private static void watch(long[] now) {
        try {
            for (long last = Long.MIN_VALUE; ; ) {
                Thread.sleep(1000 * PATIENCE_S);
                synchronized (now) {
                    if (now[0] == last) {
                        System.err.println("seed " + last + " takes more than " + PATIENCE_S + " s");
                        Runtime.getRuntime().halt(1);
                    }
                    last = now[0];
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Writes and reads the file of a seed, which must leave nothing beside it.
     *
     * @return whether an array came out
     * @throws AssertionError if what came out is not what was written
     */
    static boolean attempt(long seed, Path folder) throws IOException {
        NpzMutations mutations = new NpzMutations(seed);
        Path file = folder.resolve("mutated.npz");
        byte[] bytes = mutations.written();
        Files.write(file, bytes);
        boolean any = false;
        try (ArrayFile opened = ArrayFile.open(file)) {
            for (String name : opened.names()) {
                try {
                    any |= mutations.read(opened, name, bytes);
                } catch (ArrayFileException e) {
                    checkMessage(e);
                }
            }
        } catch (ArrayFileException e) {
            checkMessage(e);
        }
        try (Stream<Path> files = Files.list(folder)) {
            if (!files.toList().equals(List.of(file))) {
                throw new AssertionError("it left a file");
            }
        }
        return any;
    }

    private static void checkMessage(ArrayFileException e) {
        String message = e.getMessage();
        if (message == null
                || message.length() > LONGEST_MESSAGE
                || message.chars().anyMatch(c -> c < ' ')) {
            throw new AssertionError("its message is not one readable line", e);
        }
    }

    private boolean read(ArrayFile opened, String name, byte[] whole) throws IOException {
        try (ArrayReader reader = opened.open(name)) {
            int size = reader.type().size();
            long elements = reader.elements();
            ByteBuffer seen = ByteBuffer.allocate((int) (Math.min(elements, MOST_READ) * size));
            while (seen.position() < seen.capacity()) {
                int count = Math.min(seen.remaining() / size, MOST_AT_ONCE);
                ByteBuffer next = reader.next(count);
                if (next.remaining() != count * size) {
                    throw new AssertionError(count + " elements are " + next.remaining() + " bytes");
                }
                seen.put(next);
            }
            if (elements <= MOST_READ) {
                checkValues(name, seen.array(), size, whole);
            }
            return elements > 0;
        }
    }

    /** The bytes are an array's, in one order of bytes or the other. */
    private void checkValues(String name, byte[] seen, int size, byte[] whole) {
        byte[] swapped = seen.clone();
        for (int at = 0; at < swapped.length; at++) {
            swapped[at] = seen[at - at % size + size - 1 - at % size];
        }
        byte[] end = Arrays.copyOfRange(whole, Math.max(0, whole.length - seen.length), whole.length);
        boolean known = Stream.concat(arrays.stream().map(array -> array.values), Stream.of(end))
                .anyMatch(values -> Arrays.equals(values, seen) || Arrays.equals(values, swapped));
        if (!known) {
            throw new AssertionError("array '" + name + "' has bytes that no array was written with");
        }
    }

    private byte[] written() {
        boolean isSingle = random.nextInt(10) == 0;
        int outside = 0;
        for (int damages = 1 + random.nextInt(3); damages > 0; damages--) {
            Array array = arrays.get(isSingle ? 0 : random.nextInt(arrays.size()));
            switch (random.nextInt(9)) {
                case 0 -> array.type = of(TYPES);
                case 1 -> array.shape = random.nextInt(8) == 0 ? deep() : of(SHAPES);
                case 2 -> array.order = of(ORDERS);
                case 3 -> damageHeader(array);
                case 4 ->
                    array.values = random.nextBoolean()
                            ? Arrays.copyOf(array.values, random.nextInt(array.values.length + 1))
                            : Arrays.copyOf(array.values, array.values.length + 1 + random.nextInt(40));
                case 5 -> damageName(array);
                case 6 -> addOverlarge();
                default -> outside++;
            }
        }
        byte[] bytes = isSingle ? arrays.get(0).npy() : zip();
        for (; outside > 0; outside--) {
            bytes = damageZip(bytes);
        }
        return bytes;
    }

    /** Brackets, or axes, by the thousand. */
    private String deep() {
        int count = 1 << random.nextInt(14);
        return switch (random.nextInt(3)) {
            case 0 -> "(".repeat(count) + ")".repeat(count);
            case 1 -> "(" + "1, ".repeat(count) + ")";
            default -> "(" + "9".repeat(count) + ",)";
        };
    }

    private void damageHeader(Array array) {
        String text = "{'descr': '" + array.type + "', 'fortran_order': False, 'shape': " + array.shape + ", }";
        switch (random.nextInt(8)) {
            case 0 -> array.version = random.nextInt(6);
            case 1 -> array.lengthOff = random.nextInt(200) - 100;
            case 2 -> array.header = text + " ".repeat(1 << random.nextInt(15));
            case 3 -> array.header = text.substring(0, random.nextInt(text.length()));
            case 4 ->
                array.header = text.replace("'shape'", of("'shap'", "'descr'", "shape", "'shape': (1,), 'shape'"));
            case 5 -> array.header = text.replace("}", "'more': 1, }");
            case 6 -> array.header = "";
            default ->
                array.header =
                        new String(shuffled(text.getBytes(StandardCharsets.ISO_8859_1)), StandardCharsets.ISO_8859_1);
        }
    }

    private void damageName(Array array) {
        array.name = switch (random.nextInt(9)) {
            case 0 -> "../" + array.name;
            case 1 -> array.name.toUpperCase(java.util.Locale.ROOT);
            case 2 -> array.name.replace(".npy", "");
            case 3 -> array.name + "/";
            case 4 -> "n".repeat(1 << random.nextInt(15)) + ".npy";
            case 5 -> ".npy";
            case 6 -> "\u001b[2J\r\n.npy";
            case 7 -> "\u202e\u0000x.npy";
            default -> "z.npy";
        };
    }

    /** Little in the file, much in memory, with a header that says so, or says less. */
    private void addOverlarge() {
        if (isOverlarge) {
            return;
        }
        isOverlarge = true;
        int size = 1 << (10 + random.nextInt(14));
        String shape = random.nextInt(3) == 0 ? "(3,)" : "(" + size / Float.BYTES + ",)";
        Array array = new Array("zeros.npy", "<f4", shape, new byte[size]);
        array.isDeflated = true;
        arrays.add(array);
    }

    private byte[] zip() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            List<String> names = new ArrayList<>();
            for (Array array : arrays) {
                if (names.contains(array.name)) {
                    continue;
                }
                names.add(array.name);
                byte[] content = array.npy();
                ZipEntry entry = new ZipEntry(array.name);
                entry.setTime(0);
                if (!array.isDeflated && !array.name.endsWith("/")) {
                    CRC32 crc = new CRC32();
                    crc.update(content);
                    entry.setMethod(ZipEntry.STORED);
                    entry.setSize(content.length);
                    entry.setCrc(crc.getValue());
                }
                zip.putNextEntry(entry);
                zip.write(content);
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    private byte[] damageZip(byte[] bytes) {
        if (bytes.length < 64) {
            return bytes;
        }
        int directory = Math.max(0, indexOf(bytes, DIRECTORY_ENTRY, 0));
        switch (random.nextInt(7)) {
            case 0:
                return Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 1:
                return shuffled(bytes);
            case 2:
                bytes[directory + random.nextInt(bytes.length - directory)] = (byte) random.nextInt();
                return bytes;
            case 3:
                return fieldOf(bytes, indexOf(bytes, DIRECTORY_ENTRY, directory + random.nextInt(64)), 4, 42);
            case 4:
                return fieldOf(bytes, indexOf(bytes, LOCAL_ENTRY, random.nextInt(directory + 1)), 4, 26);
            case 5:
                // Two arrays of one name, which no writer of zips lets through.
                for (int at = 0; at < bytes.length - 5; at++) {
                    if (bytes[at] == 'y' && bytes[at + 1] == '.' && bytes[at + 2] == 'n') {
                        bytes[at] = 'x';
                    }
                }
                return bytes;
            default:
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                return bytes;
        }
    }

    /** Another number in one of the fields: versions, flags, method, checksum, sizes, lengths, offset. */
    private byte[] fieldOf(byte[] bytes, int entry, int from, int to) {
        int at = entry + from + 2 * random.nextInt((to - from) / 2 + 1);
        if (entry >= 0 && at + Integer.BYTES <= bytes.length) {
            int value = random.nextInt(3) == 0 ? random.nextInt(64) : random.nextBoolean() ? -1 : random.nextInt();
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        }
        return bytes;
    }

    /** A part is taken out, doubled, or exchanged for another. */
    private byte[] shuffled(byte[] bytes) {
        int begin = random.nextInt(bytes.length);
        int length = Math.min(bytes.length - begin, 1 + random.nextInt(40));
        ByteBuffer to = ByteBuffer.allocate(bytes.length + length);
        switch (random.nextInt(3)) {
            case 0 -> to.put(bytes, 0, begin).put(bytes, begin + length, bytes.length - begin - length);
            case 1 -> {
                int at = random.nextInt(bytes.length);
                to.put(bytes, 0, at).put(bytes, begin, length).put(bytes, at, bytes.length - at);
            }
            default -> {
                int from = random.nextInt(bytes.length - length + 1);
                to.put(bytes, 0, begin)
                        .put(bytes, from, length)
                        .put(bytes, begin + length, bytes.length - begin - length);
            }
        }
        return Arrays.copyOf(to.array(), to.position());
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) random.nextInt();
        }
        return bytes;
    }

    private String of(String... list) {
        return list[random.nextInt(list.length)];
    }

    private static int indexOf(byte[] bytes, byte[] part, int from) {
        for (int at = from; at + part.length <= bytes.length; at++) {
            if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
        return -1;
    }
}
