package org.pregrad.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpzFileTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readsStoredAndDeflatedArraysPieceByPiece(boolean deflated) throws IOException {
        float[] values = new float[100_000];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        TestNpz npz = new TestNpz();
        Path file = (deflated ? npz.deflated() : npz)
                .floats("x", "(1000, 100)", values)
                .write(directory.resolve("d.npz"));
        try (ArrayFile data = ArrayFile.open(file);
                ArrayReader reader = data.open("x")) {
            float[] read = new float[values.length];
            for (int at = 0; at < read.length; ) {
                int count = Math.min(777, read.length - at);
                reader.next(count).asFloatBuffer().get(read, at, count);
                at += count;
            }
            assertThat(read).containsExactly(values);
        }
    }

    @Test
    void batchesBeginAtACacheLine() throws IOException {
        Path file = new TestNpz().floats("x", "(100, 33)", new float[3300]).write(directory.resolve("d.npz"));
        try (ArrayFile data = ArrayFile.open(file);
                ArrayReader reader = data.open("x")) {
            for (int samples : new int[] {1, 7, 33, 7, 1}) {
                ByteBuffer batch = reader.next(samples * 33);
                assertThat(batch.alignmentOffset(0, 64)).isZero();
                assertThat(batch.remaining()).isEqualTo(samples * 33 * Float.BYTES);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsABatchWhileTheNextIsRead(boolean deflated) throws IOException {
        TestNpz npz = new TestNpz();
        Path file = (deflated ? npz.deflated() : npz)
                .array("x", ">f4", "(6,)", TestNpz.big(24, to -> to.asFloatBuffer()
                        .put(new float[] {1, 2, 3, 4, 5, 6})))
                .write(directory.resolve("d.npz"));
        try (ArrayFile data = ArrayFile.open(file);
                ArrayReader reader = data.open("x")) {
            ByteBuffer first = reader.next(3);
            reader.next(3);
            assertThat(first.getFloat(0)).isEqualTo(1);
            assertThat(first.getFloat(8)).isEqualTo(3);
        }
    }

    @Test
    void handsOutAlignedDirectMemoryWhereverTheArrayLies() throws IOException {
        for (int name = 1; name <= 8; name++) {
            String array = "x".repeat(name);
            Path file = new TestNpz().floats(array, "(3,)", 1, 2, 3).write(directory.resolve("d.npz"));
            try (ArrayFile data = ArrayFile.open(file);
                    ArrayReader reader = data.open(array)) {
                ByteBuffer values = reader.next(3);
                assertThat(values.isDirect()).isTrue();
                assertThat(values.order()).isEqualTo(ByteOrder.nativeOrder());
                assertThat(values.alignmentOffset(0, Float.BYTES)).isZero();
                assertThat(values.getFloat(4)).isEqualTo(2);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void readsEveryVersionOfTheFormat(int version) throws IOException {
        byte[] npy = TestNpz.npy(
                version,
                "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}",
                TestNpz.little(8, to -> to.putLong(7)));
        Path file = new TestNpz().entry("a.npy", npy).write(directory.resolve("d.npz"));
        try (ArrayFile data = ArrayFile.open(file);
                ArrayReader reader = data.open("a")) {
            assertThat(reader.next(1).getLong()).isEqualTo(7);
        }
    }

    @Test
    void refusesAnUnknownVersion() {
        byte[] npy = TestNpz.npy(4, "{'descr': '<i8', 'fortran_order': False, 'shape': (0,)}", new byte[0]);
        assertThatThrownBy(() -> readAll(new TestNpz().entry("a.npy", npy).bytes(), "a"))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("version 4");
    }

    @Test
    void listsTheArraysOnly() throws IOException {
        Path file = new TestNpz()
                .floats("x", "(1,)", 1)
                .entry("readme.txt", new byte[3])
                .longs("y", "(1,)", 1)
                .write(directory.resolve("d.npz"));
        try (ArrayFile data = ArrayFile.open(file)) {
            assertThat(data.names()).containsExactly("x", "y");
            assertThat(data.holds("x")).isTrue();
            assertThat(data.holds("cluster")).isFalse();
        }
    }

    @Test
    void refusesWhatIsNoZip() throws IOException {
        Path text = Files.writeString(directory.resolve("d.npz"), "a,b\n1,2\n");
        assertThatThrownBy(() -> ArrayFile.open(text))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("no .npz");
        Path empty = Files.createFile(directory.resolve("empty.npz"));
        assertThatThrownBy(() -> ArrayFile.open(empty))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("empty");
        Path one = Files.write(directory.resolve("one.npz"), new byte[] {'P'});
        assertThatThrownBy(() -> ArrayFile.open(one))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("no .npz");
        assertThatThrownBy(() -> ArrayFile.open(directory.resolve("none.npz")))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> ArrayFile.open(directory))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("directory");
    }

    @Test
    void refusesAShapeThatTheBytesDoNotFill() {
        for (String shape : new String[] {"(4,)", "(2,)", "(4294967296, 4294967296, 4)", "(9223372036854775807, 2)"}) {
            assertThatThrownBy(() ->
                            readAll(new TestNpz().floats("x", shape, 1, 2, 3).bytes(), "x"))
                    .isInstanceOf(ArrayFileException.class)
                    .hasMessageContaining("array 'x'")
                    .hasMessageContaining("save it again");
        }
    }

    @Test
    void refusesADirectoryThatPromisesMoreThanDeflateCanGive() {
        byte[] bytes = new TestNpz().deflated().floats("x", "(3,)", 1, 2, 3).bytes();
        int entry = indexOf(bytes, new byte[] {'P', 'K', 1, 2});
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(entry + 24, Integer.MAX_VALUE);
        assertThatThrownBy(() -> readAll(bytes, "x"))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("sizes that cannot be");
    }

    @Test
    void refusesEncryptedAndForeignCompression() {
        byte[] encrypted = new TestNpz().floats("x", "(1,)", 1).bytes();
        encrypted[indexOf(encrypted, new byte[] {'P', 'K', 1, 2}) + 8] |= 1;
        assertThatThrownBy(() -> readAll(encrypted, "x")).hasMessageContaining("encrypted");
        byte[] lzma = new TestNpz().floats("x", "(1,)", 1).bytes();
        lzma[indexOf(lzma, new byte[] {'P', 'K', 1, 2}) + 10] = 14;
        assertThatThrownBy(() -> readAll(lzma, "x"))
                .hasMessageContaining("method 14")
                .hasMessageContaining("numpy.savez");
    }

    /** Cut anywhere, a file is refused in a sentence. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void refusesTruncatedFiles(boolean deflated) {
        TestNpz npz = new TestNpz();
        byte[] whole = (deflated ? npz.deflated() : npz)
                .floats("x", "(3,)", 1, 2, 3)
                .longs("y", "(3,)", 1, 2, 3)
                .bytes();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> readAll(cut, "x"))
                    .as("cut to %d bytes", length)
                    .isInstanceOf(ArrayFileException.class);
        }
    }

    /** With any byte changed, a file is refused in a sentence or gives the same numbers: never others. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void neverGivesOtherNumbersForADamagedFile(boolean deflated) throws IOException {
        TestNpz npz = new TestNpz();
        byte[] whole = (deflated ? npz.deflated() : npz)
                .floats("x", "(2, 2)", 1, 2, 3, 4)
                .bytes();
        byte[] values = readAll(whole, "x");
        int refused = 0;
        for (int at = 0; at < whole.length; at++) {
            for (int change : new int[] {1, 0x80, 0xff}) {
                byte[] damaged = whole.clone();
                damaged[at] ^= (byte) change;
                try {
                    assertThat(readAll(damaged, "x"))
                            .as("byte %d changed by %d", at, change)
                            .isEqualTo(values);
                } catch (ArrayFileException e) {
                    refused++;
                }
            }
        }
        assertThat(refused).isGreaterThan(whole.length);
    }

    @Test
    void namesTheArrayThatIsNoArray() {
        assertThatThrownBy(() -> readAll(
                        new TestNpz()
                                .entry("x.npy", "no array".getBytes(StandardCharsets.UTF_8))
                                .bytes(),
                        "x"))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("x.npy");
        assertThatThrownBy(
                        () -> readAll(new TestNpz().entry("x.npy", new byte[0]).bytes(), "x"))
                .isInstanceOf(ArrayFileException.class);
    }

    /** All elements of an array; a name that a damaged directory lost counts as refused too. */
    private byte[] readAll(byte[] npz, String name) throws IOException {
        Path file = Files.write(directory.resolve("all.npz"), npz);
        try (ArrayFile data = ArrayFile.open(file)) {
            if (!data.holds(name)) {
                throw new ArrayFileException("no array " + name);
            }
            try (ArrayReader reader = data.open(name)) {
                int count = (int) reader.elements();
                ByteBuffer read = reader.next(count);
                // The type and the shape belong to what is read.
                byte[] front = (reader.type().id() + reader.shapeInWords()).getBytes(StandardCharsets.UTF_8);
                return ByteBuffer.allocate(front.length + read.remaining())
                        .put(front)
                        .put(read)
                        .array();
            }
        }
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int at = 0; ; at++) {
            if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
    }
}
