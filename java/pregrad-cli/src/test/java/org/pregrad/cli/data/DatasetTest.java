package org.pregrad.cli.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pregrad.ModelInput;
import org.pregrad.cli.data.ArrayNames.Labels;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.TestNpz;

class DatasetTest {
    private static final ArrayNames NAMES = names("y", Labels.TRUTH, "cluster", false);
    private static final List<ModelInput> ONE = List.of(needed("x"));
    private static final List<ModelInput> SEVERAL =
            List.of(needed("ids"), new ModelInput("mask", "", List.of(), true), needed("states.*"));

    @TempDir
    private Path directory;

    @Test
    void givesBatchesInOrderAndTheRestLast() throws IOException {
        try (Dataset data = open(samples().longs("cluster", "(3,)", -1, 7, -1))) {
            assertThat(data.samples()).isEqualTo(3);
            Batch first = data.next(2);
            assertThat(first.first()).isZero();
            assertThat(first.samples()).isEqualTo(2);
            assertThat(first.parts().get(0).shape()).containsExactly(2, 2);
            assertThat(((FloatBuffer) values(first)).get(3)).isEqualTo(4);
            assertThat(labels(first)).containsExactly(0, 1);
            assertThat(first.clusters()).containsExactly(-1, 7);
            Batch second = data.next(2);
            assertThat(second.first()).isEqualTo(2);
            assertThat(second.parts().get(0).shape()).containsExactly(1, 2);
            assertThat(((FloatBuffer) values(second)).get(1)).isEqualTo(6);
            assertThat(labels(second)).containsExactly(2);
            assertThat(data.next(2)).isNull();
        }
    }

    @Test
    void readsAheadWhatComesNext() throws Exception {
        try (Dataset data = open(samples());
                ReadAhead batches = new ReadAhead(data, 1, 1)) {
            for (int sample = 0; sample < 3; sample++) {
                Batch batch = batches.next();
                assertThat(batch.first()).isEqualTo(sample);
                assertThat(((FloatBuffer) values(batch)).get(0)).isEqualTo(1 + 2 * sample);
            }
            assertThat(batches.next()).isNull();
        }
    }

    @Test
    void leavesTheBatchesInUseAsTheyAreWhileItReadsAhead() throws Exception {
        int inUse = 3;
        float[] values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
        Deque<Batch> used = new ArrayDeque<>();
        try (Dataset data = open(new TestNpz().floats("x", "(10,)", values).longs("y", "(10,)", new long[10]));
                ReadAhead batches = new ReadAhead(data, 1, inUse)) {
            for (Batch batch = batches.next(); batch != null; batch = batches.next()) {
                used.add(batch);
                if (used.size() > inUse) {
                    used.remove();
                }
                awaitReader();
                for (Batch each : used) {
                    assertThat(((FloatBuffer) values(each)).get(0)).isEqualTo((float) each.first());
                }
            }
        }
        assertThat(used).hasSize(inUse);
    }

    /** Until the thread that reads ahead has read, and waits for more to do. */
    private static void awaitReader() {
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().startsWith("pregrad-read-ahead")
                        && thread.getState() != Thread.State.WAITING)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void readsAheadAProblemToo() throws Exception {
        try (Dataset data = open(new TestNpz().floats("x", "(2,)", 1, Float.NaN).longs("y", "(2,)", 0, 0));
                ReadAhead batches = new ReadAhead(data, 1, 1)) {
            batches.next();
            assertThatThrownBy(batches::next).isInstanceOf(UserException.class).hasMessageContaining("sample 1");
        }
    }

    @Test
    void needsNoClustersUnlessTheyAreNamed() throws IOException {
        try (Dataset data = open(samples())) {
            assertThat(data.next(3).clusters()).isNull();
        }
        assertThatThrownBy(() -> open(samples(), names("y", Labels.TRUTH, "group", true)))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("no array 'group'; it holds x, y")
                .hasMessageContaining("--clusters");
    }

    @Test
    void needsNoLabelsUnlessTheyAreWanted() throws IOException {
        TestNpz unlabelled = new TestNpz().floats("x", "(1, 2)", 1, 2);
        Path file = unlabelled.write(directory.resolve("u.npz"));
        try (Dataset data = Dataset.open(file, names(null, Labels.UNUSED, "cluster", false), ONE)) {
            assertThat(data.next(1).labels()).isNull();
        }
        assertThatThrownBy(() -> Dataset.open(file, NAMES, ONE))
                .hasMessageContaining("no array 'y'")
                .hasMessageContaining("--labels");
    }

    @Test
    void namesTheFileOnce() {
        assertThatThrownBy(() -> open(new TestNpz().longs("y", "(1,)", 0)))
                .isInstanceOf(UserException.class)
                .hasMessageMatching(
                        "data file \\S*d.npz: there is no array 'x'; it holds y; choose one by --inputs .*");
    }

    @ParameterizedTest
    @CsvSource({
        "|i1, -3",
        "|u1, 253",
        "|b1, 1",
        "<i2, -3",
        ">i2, -3",
        "<u2, 65533",
        "<i4, -3",
        ">u4, 4294967293",
        "<i8, -3",
        ">i8, -3",
        "<u8, 3"
    })
    void takesIntegersOfAnyWidth(String type, long value) throws IOException {
        int size = type.charAt(2) - '0';
        byte[] bits = type.charAt(0) == '>'
                ? Arrays.copyOfRange(TestNpz.big(8, to -> to.putLong(value)), 8 - size, 8)
                : Arrays.copyOf(TestNpz.little(8, to -> to.putLong(value)), size);
        try (Dataset data = open(new TestNpz().floats("x", "(1,)", 1).array("y", type, "(1,)", bits))) {
            assertThat(labels(data.next(1))).containsExactly(value);
        }
    }

    @Test
    void refusesIntegersBeyond64Bits() throws IOException {
        byte[] bits = TestNpz.little(8, to -> to.putLong(-1));
        try (Dataset data = open(new TestNpz().floats("x", "(1,)", 1).array("y", "<u8", "(1,)", bits))) {
            assertThatThrownBy(() -> data.next(1))
                    .isInstanceOf(UserException.class)
                    .hasMessageContaining("18446744073709551615");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"<f4", "<f8"})
    void refusesFloatLabels(String type) {
        byte[] bits = new byte[type.charAt(2) - '0'];
        assertThatThrownBy(() -> open(new TestNpz().floats("x", "(1,)", 1).array("y", type, "(1,)", bits)))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("array 'y' holds float")
                .hasMessageContaining("y.astype(np.int64)");
    }

    @Test
    void refusesLengthsAndShapesThatDiffer() {
        assertThatThrownBy(() -> open(new TestNpz().floats("x", "(2, 1)", 1, 2).longs("y", "(3,)", 1, 2, 3)))
                .hasMessageContaining("3 labels")
                .hasMessageContaining("2 samples (shape 2x1)");
        assertThatThrownBy(() -> open(samples().longs("cluster", "(3, 1)", 1, 2, 3)))
                .hasMessageContaining("shape 3x1")
                .hasMessageContaining("cluster.ravel()");
        assertThatThrownBy(() -> open(samples().longs("cluster", "(3, 2)", 1, 2, 3, 4, 5, 6)))
                .hasMessageContaining("shape 3x2")
                .hasMessageEndingWith("; save one integer per sample");
        assertThatThrownBy(() -> open(new TestNpz().floats("x", "(2, 1)", 1, 2).longs("y", "()", 1)))
                .hasMessageContaining("scalar");
        assertThatThrownBy(() -> open(samples().longs("cluster", "(2,)", 1, 2))).hasMessageContaining("2 clusters");
    }

    @Test
    void refusesAnEmptyDataSet() {
        assertThatThrownBy(() -> open(new TestNpz().floats("x", "(0, 64)").longs("y", "(0,)")))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("0 samples");
        assertThatThrownBy(() -> open(new TestNpz().floats("x", "(5, 0)").longs("y", "(5,)", 1, 2, 3, 4, 5)))
                .hasMessageContaining("without values");
        assertThatThrownBy(() -> open(new TestNpz().floats("x", "()", 1).longs("y", "(1,)", 1)))
                .hasMessageContaining("scalar");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void namesTheSampleThatIsNotFinite(float bad) throws IOException {
        TestNpz npz = new TestNpz().floats("x", "(3, 2)", 1, 2, 3, 4, 5, bad).longs("y", "(3,)", 0, 0, 0);
        try (Dataset data = open(npz)) {
            data.next(2);
            assertThatThrownBy(() -> data.next(2))
                    .isInstanceOf(UserException.class)
                    .hasMessageContaining("holds " + bad + " in sample 2");
        }
    }

    @Test
    void keepsDoubles() throws IOException {
        byte[] bits = TestNpz.big(16, to -> to.putDouble(1.5).putDouble(2.5));
        try (Dataset data = open(new TestNpz().array("x", ">f8", "(1, 2)", bits).longs("y", "(1,)", 0))) {
            DoubleBuffer values = (DoubleBuffer) values(data.next(1));
            assertThat(values.isDirect()).isTrue();
            assertThat(values.get(1)).isEqualTo(2.5);
        }
    }

    @ParameterizedTest
    @CsvSource({"|u1, 254", "|i1, -2", "<i2, -2", "<u2, 65534", "<i4, -2", "<u4, 4294967294", "<i8, -2"})
    void widensIntegers(String type, long first) throws IOException {
        int size = type.charAt(2) - '0';
        byte[] bits = new byte[2 * size];
        System.arraycopy(TestNpz.little(8, to -> to.putLong(first)), 0, bits, 0, size);
        bits[size] = 1;
        try (Dataset data = open(new TestNpz().array("x", type, "(1, 2)", bits).longs("y", "(1,)", 0))) {
            LongBuffer values = (LongBuffer) values(data.next(1));
            assertThat(values.isDirect()).isTrue();
            assertThat(values.get(0)).isEqualTo(first);
            assertThat(values.get(1)).isEqualTo(1);
        }
    }

    @Test
    void keepsBooleans() throws IOException {
        TestNpz npz =
                new TestNpz().array("x", "|b1", "(1, 2)", new byte[] {0, 1}).longs("y", "(1,)", 0);
        try (Dataset data = open(npz)) {
            ByteBuffer values = (ByteBuffer) values(data.next(1));
            assertThat(values.get(0)).isZero();
            assertThat(values.get(1)).isEqualTo((byte) 1);
        }
    }

    @ParameterizedTest
    @CsvSource({"<f2,2,float16", "<u8,8,uint64"})
    void refusesInputsOfOtherTypes(String type, int size, String name) {
        assertThatThrownBy(() -> open(
                        new TestNpz().array("x", type, "(1,)", new byte[size]).longs("y", "(1,)", 0)))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("array 'x' holds " + name)
                .hasMessageContaining("x.astype(np.float32)");
    }

    @Test
    void refusesFortranOrder() {
        byte[] npy = TestNpz.npy(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}", new byte[8]);
        assertThatThrownBy(() -> open(new TestNpz().entry("x.npy", npy).longs("y", "(2,)", 0, 0)))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("np.ascontiguousarray(x)");
    }

    @Test
    void takesABatchSizeBeyondItsSamples() throws IOException {
        try (Dataset data = open(samples())) {
            data.checkBatchSize(Integer.MAX_VALUE);
            assertThat(data.next(Integer.MAX_VALUE).samples()).isEqualTo(3);
        }
    }

    @Test
    void takesASingleArrayAsInputs() throws IOException {
        try (Dataset data = Dataset.open(singleArray(2), names(null, Labels.UNUSED, "cluster", false), ONE)) {
            Batch batch = data.next(2);
            assertThat(batch.parts().get(0).shape()).containsExactly(2);
            assertThat(((FloatBuffer) values(batch)).get(1)).isEqualTo(1);
            assertThat(batch.labels()).isNull();
            assertThat(batch.clusters()).isNull();
        }
    }

    @Test
    void refusesASingleArray() throws IOException {
        Path file = singleArray(1);
        assertThatThrownBy(() -> Dataset.open(file, NAMES, ONE))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("x.npy")
                .hasMessageContaining("single array")
                .hasMessageContaining("np.savez");
    }

    @Test
    void saysWhatDoesWithoutLabels() throws IOException {
        Path single = singleArray(1);
        Path file = new TestNpz().floats("x", "(1, 2)", 1, 2).write(directory.resolve("u.npz"));
        for (Path unlabelled : new Path[] {single, file}) {
            assertThatThrownBy(() -> Dataset.open(unlabelled, names("y", Labels.TARGETS, "cluster", false), ONE))
                    .hasMessageContaining("no array 'y'; it holds x")
                    .hasMessageEndingWith(", or give --target predicted");
            assertThatThrownBy(() -> Dataset.open(unlabelled, NAMES, ONE)).hasMessageNotContaining("--target");
        }
    }

    /** Its bytes are a hole in the file. */
    @Test
    void refusesABatchBeyond2GiB() throws IOException {
        Path file = Files.write(
                directory.resolve("large.npy"),
                TestNpz.npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1100, 1048576)}", new byte[0]));
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(large.length() + 4L * 1100 * 1048576);
        }
        try (Dataset data = Dataset.open(file, ArrayNames.inputsOnly(InputNames.byName()), ONE)) {
            assertThatThrownBy(() -> data.checkBatchSize(512))
                    .isInstanceOf(UserException.class)
                    .hasMessageContaining("give --batch-size 511 or less");
            data.checkBatchSize(511);
        }
    }

    @Test
    void cutsAllInputsAlikeAndGivesSharedOnesWhole() throws IOException {
        TestNpz npz = sequences().floats("states.1", "(2, 2)", 7, 8, 9, 10);
        InputNames shared = new InputNames(List.of(), List.of("states.1"), null);
        try (Dataset data = open(npz, new ArrayNames(shared, "y", Labels.TRUTH, null, false), SEVERAL)) {
            assertThat(data.samples()).isEqualTo(3);
            data.next(2);
            Batch last = data.next(2);
            assertThat(last.samples()).isEqualTo(1);
            assertThat(last.parts().stream().map(Batch.Part::name)).containsExactly("ids", "states.0", "states.1");
            assertThat(((LongBuffer) last.parts().get(0).values()).get(0)).isEqualTo(5);
            assertThat(((FloatBuffer) last.parts().get(1).values()).get(0)).isEqualTo(3);
            assertThat(last.parts().get(2).shape()).containsExactly(2, 2);
            assertThat(last.parts().get(2).shared()).isTrue();
            assertThat(((FloatBuffer) last.parts().get(2).values()).get(3)).isEqualTo(10);
            assertThat(last.labels().shape()).containsExactly(1, 2);
            assertThat(labels(last)).containsExactly(-100, 5);
            assertThat(data.hasLabelsOfPositions()).isTrue();
            assertThat(data.read())
                    .containsEntry("inputs", List.of("ids", "states.0", "states.1"))
                    .containsEntry("shared", List.of("states.1"));
        }
    }

    @Test
    void readsAMaskThatIsNoInputBesideThem() throws IOException {
        InputNames masked = new InputNames(List.of(), List.of(), "counts");
        TestNpz npz = samples().array("counts", "|b1", "(3, 2)", new byte[] {1, 0, 1, 1, 0, 0});
        try (Dataset data = open(npz, new ArrayNames(masked, null, Labels.UNUSED, null, false))) {
            List<Batch.Part> parts = data.next(3).parts();
            assertThat(parts.stream().map(Batch.Part::name)).containsExactly("x", "counts");
            assertThat(((ByteBuffer) parts.get(1).values()).get(1)).isZero();
            assertThat(data.read()).containsEntry("inputs", List.of("x"));
        }
        assertThatThrownBy(() -> open(samples(), new ArrayNames(masked, null, Labels.UNUSED, null, false)))
                .hasMessageContaining("no array 'counts'; it holds x, y; choose one by --mask");
    }

    @Test
    void readsWeightsInThePlaceOfLabels() throws IOException {
        ArrayNames weights = names("w", Labels.WEIGHTS, null, false);
        try (Dataset data = open(samples().floats("w", "(3, 2)", 1, 2, 3, 4, 5, 6), weights)) {
            data.next(2);
            Batch.Part last = data.next(2).labels();
            assertThat(last.shape()).containsExactly(1, 2);
            assertThat(((FloatBuffer) last.values()).get(1)).isEqualTo(6);
            assertThat(data.hasLabelsOfPositions()).isFalse();
        }
        assertThatThrownBy(() -> open(samples(), names("y", Labels.WEIGHTS, null, false)))
                .hasMessageContaining("array 'y' holds int64, but --target weights takes weights");
        assertThatThrownBy(() -> open(samples().floats("w", "(2, 2)", 1, 2, 3, 4), weights))
                .hasMessageContaining("array 'w' has 2 weights, but the inputs are 3 samples");
    }

    @Test
    void refusesInputsOfDifferentNumbersOfSamples() {
        assertThatThrownBy(() -> open(
                        sequences().longs("mask", "(2, 2)", 1, 1, 1, 1),
                        names("y", Labels.TRUTH, null, false),
                        SEVERAL))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("array 'mask' has 2 samples (shape 2x2), but 'ids' has 3 (shape 3x2)")
                .hasMessageContaining("--shared");
    }

    /** An input of tokens, one of a list, and a label per position. */
    private static TestNpz sequences() {
        return new TestNpz()
                .longs("ids", "(3, 2)", 1, 2, 3, 4, 5, 6)
                .floats("states.0", "(3,)", 1, 2, 3)
                .longs("y", "(3, 2)", 0, 1, 2, 3, -100, 5);
    }

    private Path singleArray(int samples) throws IOException {
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + samples + ",)}";
        byte[] values = TestNpz.little(4 * samples, to -> {
            for (int i = 0; i < samples; i++) {
                to.putFloat(i);
            }
        });
        return Files.write(directory.resolve("x.npy"), TestNpz.npy(1, header, values));
    }

    private static TestNpz samples() {
        return new TestNpz().floats("x", "(3, 2)", 1, 2, 3, 4, 5, 6).longs("y", "(3,)", 0, 1, 2);
    }

    private Dataset open(TestNpz npz) throws IOException {
        return open(npz, NAMES);
    }

    private Dataset open(TestNpz npz, ArrayNames names) throws IOException {
        return open(npz, names, ONE);
    }

    private Dataset open(TestNpz npz, ArrayNames names, List<ModelInput> model) throws IOException {
        return Dataset.open(npz.write(directory.resolve("d.npz")), names, model);
    }

    private static ModelInput needed(String name) {
        return new ModelInput(name, "", List.of(), false);
    }

    private static ArrayNames names(String labels, Labels use, String clusters, boolean clustersWanted) {
        return new ArrayNames(InputNames.byName(), labels, use, clusters, clustersWanted);
    }

    private static Buffer values(Batch batch) {
        return batch.parts().get(0).values();
    }

    private static long[] labels(Batch batch) {
        return ((LongBuffer) batch.labels().values()).array();
    }
}
