package org.pregrad.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.ArgumentException;

/** A single array in a file of its own, and what any reader does. */
class NpyFileTest {
    private static final String HEADER = "{'descr': '>f8', 'fortran_order': False, 'shape': (3, 2)}";
    private static final byte[] WHOLE =
            TestNpz.npy(1, HEADER, TestNpz.big(48, to -> to.asDoubleBuffer().put(new double[] {1, 2, 3, 4, 5, 6})));

    @TempDir
    private Path directory;

    @Test
    void isOneArrayNamedAsTheInputOfAModel() throws IOException {
        try (ArrayFile data = ArrayFile.open(write(WHOLE))) {
            assertThat(data.names()).containsExactly("x");
            assertThat(data.holds("x")).isTrue();
            assertThat(data.holds("y")).isFalse();
            assertThat(data.isSingleArray()).isTrue();
            try (ArrayReader reader = data.open("x")) {
                assertThat(reader.name()).isEqualTo("x");
                assertThat(reader.type()).isEqualTo(ElementType.FLOAT64);
                assertThat(reader.type().size()).isEqualTo(8);
                assertThat(reader.type().isInteger()).isFalse();
                assertThat(reader.shape()).containsExactly(3L, 2L);
                assertThat(reader.fortran()).isFalse();
                double[] values = new double[4];
                reader.next(4).asDoubleBuffer().get(values);
                assertThat(values).containsExactly(1, 2, 3, 4);
                reader.next(2).asDoubleBuffer().get(values, 0, 2);
                assertThat(values).startsWith(5, 6);
            }
        }
    }

    @Test
    void namesAreNothingToItsContent() throws IOException {
        Path file = Files.write(directory.resolve("array.npz"), WHOLE);
        try (ArrayFile data = ArrayFile.open(file)) {
            assertThat(data.isSingleArray()).isTrue();
        }
    }

    @Test
    void refusesWhatIsCutAnywhere() {
        for (int length = 0; length < WHOLE.length; length++) {
            byte[] cut = Arrays.copyOf(WHOLE, length);
            assertThatThrownBy(() -> {
                        try (ArrayFile data = ArrayFile.open(write(cut));
                                ArrayReader reader = data.open("x")) {
                            reader.next(1);
                        }
                    })
                    .as("cut to %d bytes", length)
                    .isInstanceOf(ArrayFileException.class)
                    .hasMessageStartingWith("data file " + directory.resolve("x.npy") + ": ");
        }
    }

    @Test
    void tellsWhatHappensWhenTheFileShrinksMeanwhile() throws IOException {
        byte[] large =
                TestNpz.npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (100000,)}", new byte[400_000]);
        try (ArrayFile data = ArrayFile.open(write(large));
                ArrayReader reader = data.open("x")) {
            reader.next(1);
            write(Arrays.copyOf(large, 1000));
            assertThatThrownBy(() -> reader.next(99_999))
                    .isInstanceOf(ArrayFileException.class)
                    .hasMessageContaining("array 'x' breaks off")
                    .satisfies(
                            e -> assertThat(((ArrayFileException) e).reason()).startsWith("array 'x'"));
        }
    }

    @Test
    void givesNoMoreThanThereIs() throws IOException {
        try (ArrayFile data = ArrayFile.open(write(WHOLE));
                ArrayReader reader = data.open("x")) {
            reader.next(5);
            for (int elements : new int[] {-1, 2, Integer.MAX_VALUE}) {
                assertThatThrownBy(() -> reader.next(elements))
                        .isInstanceOf(ArgumentException.class)
                        .hasMessageContaining("array 'x'")
                        .hasMessageContaining("1 are left");
            }
            assertThat(reader.next(1).getDouble(0)).isEqualTo(6);
            assertThat(reader.next(0).remaining()).isZero();
        }
    }

    @Test
    void saysWhichArraysThereAre() throws IOException {
        try (ArrayFile data = ArrayFile.open(write(WHOLE))) {
            assertThatThrownBy(() -> data.open("y"))
                    .isInstanceOf(ArrayFileException.class)
                    .hasMessageContaining("x.npy")
                    .hasMessageContaining("no array 'y'; it holds x");
        }
    }

    private Path write(byte[] npy) throws IOException {
        return Files.write(directory.resolve("x.npy"), npy);
    }
}
