package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kind of input gives the same bits. */
class InputTest {
    private static final int SIZE = 64;

    private static Model model;
    private static Data data;
    private static float[] values;
    private static double[] expected;

    @BeforeAll
    static void open() {
        model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
        data = Fixtures.digits().part(0, SIZE);
        values = data.floats();
        expected = mean(Input.of(values, SIZE, 64));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static double[] mean(Input input) {
        try (Attribution attribution = model.attribution().layers("act1").open()) {
            attribution.add(input, data.y());
            return attribution.scores().of("act1", 0, Method.GRADIENT).mean();
        }
    }

    private static double[] meanOfHalves(Input first, Input second) {
        try (Attribution attribution = model.attribution().layers("act1").open()) {
            attribution.add(first, Arrays.copyOf(data.y(), SIZE / 2));
            attribution.add(second, Arrays.copyOfRange(data.y(), SIZE / 2, SIZE));
            return attribution.scores().of("act1", 0, Method.GRADIENT).mean();
        }
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private static FloatBuffer filled(FloatBuffer buffer) {
        return buffer.put(values).flip();
    }

    @Test
    void rowsAreAnArray() {
        float[][] rows = new float[SIZE][];
        for (int i = 0; i < SIZE; i++) {
            rows[i] = Arrays.copyOfRange(values, 64 * i, 64 * i + 64);
        }
        assertThat(mean(Input.of(rows))).isEqualTo(expected);
    }

    @Test
    void heapBuffersAreAnArray() {
        assertThat(mean(Input.of(FloatBuffer.wrap(values), SIZE, 64))).isEqualTo(expected);
        assertThat(mean(Input.of(FloatBuffer.wrap(values).asReadOnlyBuffer(), SIZE, 64)))
                .isEqualTo(expected);
        FloatBuffer ofBytes = ByteBuffer.allocate(4 * values.length)
                .order(ByteOrder.BIG_ENDIAN)
                .asFloatBuffer();
        assertThat(mean(Input.of(filled(ofBytes), SIZE, 64))).isEqualTo(expected);
    }

    @Test
    void arraysFollowEachOtherInOneThread() {
        float[] others = new float[values.length];
        Arrays.fill(others, 0.5f);
        double[] ofOthers = mean(Input.of(others, SIZE, 64));
        assertThat(ofOthers).isNotEqualTo(expected);
        assertThat(mean(Input.of(values, SIZE, 64))).isEqualTo(expected);
        float[] half = Arrays.copyOf(values, values.length / 2);
        try (Attribution attribution = model.attribution().layers("act1").open()) {
            attribution.add(Input.of(half, SIZE / 2, 64), Arrays.copyOf(data.y(), SIZE / 2));
        }
        assertThat(mean(Input.of(others, SIZE, 64))).isEqualTo(ofOthers);
        assertThat(mean(Input.of(values, SIZE, 64))).isEqualTo(expected);
    }

    @Test
    void heapBuffersCountFromTheirPosition() {
        float[] longer = new float[values.length + 7];
        System.arraycopy(values, 0, longer, 3, values.length);
        FloatBuffer buffer =
                FloatBuffer.wrap(longer, 1, longer.length - 1).slice().position(2);
        buffer.limit(2 + values.length);
        assertThat(mean(Input.of(buffer, SIZE, 64))).isEqualTo(expected);
        assertThat(buffer.position()).isEqualTo(2);
    }

    @Test
    void directBuffersCountFromTheirPosition() {
        FloatBuffer buffer = direct(4 * (values.length + 7)).asFloatBuffer();
        buffer.position(3).put(values).flip().position(3);
        assertThat(mean(Input.of(buffer, SIZE, 64))).isEqualTo(expected);
        assertThat(mean(Input.of(buffer.slice(), SIZE, 64))).isEqualTo(expected);
        assertThat(mean(Input.of(buffer.asReadOnlyBuffer(), SIZE, 64))).isEqualTo(expected);
        assertThat(buffer.position()).isEqualTo(3);
    }

    @Test
    void directBuffersAreShownInPlace() {
        FloatBuffer buffer = filled(direct(4 * values.length).asFloatBuffer());
        Input input = Input.of(buffer, SIZE, 64);
        float[] before = model.forward(input).floats();
        buffer.put(0, values[0] + 1);
        assertThat(model.forward(input).floats()).isNotEqualTo(before);
        buffer.put(0, values[0]);
        assertThat(model.forward(input).floats()).isEqualTo(before);
    }

    @Test
    void directBuffersFollowEachOtherInOneThread() {
        float[] others = new float[values.length];
        Arrays.fill(others, 0.5f);
        double[] ofOthers = mean(Input.of(others, SIZE, 64));
        FloatBuffer buffer = filled(direct(4 * values.length).asFloatBuffer());
        FloatBuffer other =
                direct(4 * values.length).asFloatBuffer().put(others).flip();
        for (int i = 0; i < 2; i++) {
            assertThat(mean(Input.of(buffer, SIZE, 64))).isEqualTo(expected);
            assertThat(mean(Input.of(other, SIZE, 64))).isEqualTo(ofOthers);
        }
        int half = values.length / 2;
        FloatBuffer first = buffer.slice(0, half);
        FloatBuffer second = buffer.slice(half, half);
        assertThat(meanOfHalves(Input.of(first, SIZE / 2, 64), Input.of(second, SIZE / 2, 64)))
                .isEqualTo(meanOfHalves(
                        Input.of(Arrays.copyOf(values, half), SIZE / 2, 64),
                        Input.of(Arrays.copyOfRange(values, half, 2 * half), SIZE / 2, 64)));
        buffer.put(others).flip();
        assertThat(mean(Input.of(buffer, SIZE, 64))).isEqualTo(ofOthers);
    }

    @Test
    void directBuffersMayBeginAnywhere() {
        ByteBuffer odd = direct(4 * values.length + 1).position(1).slice().order(ByteOrder.nativeOrder());
        assertThat(mean(Input.of(filled(odd.asFloatBuffer()), SIZE, 64))).isEqualTo(expected);
    }

    @Test
    void directBuffersStayAliveWhileTheInputDoes() {
        Input input = Input.of(filled(direct(4 * values.length).asFloatBuffer()), SIZE, 64);
        for (int i = 0; i < 5; i++) {
            System.gc();
            assertThat(mean(input)).isEqualTo(expected);
        }
    }

    @Test
    void tensorsAreShownInPlace() {
        Presets.require();
        try (FloatPointer pointer = new FloatPointer(values);
                Tensor tensor = torch.from_blob(pointer, new long[] {SIZE, 64})) {
            Input input = Input.of(tensor);
            assertThat(mean(input)).isEqualTo(expected);
            pointer.put(0, values[0] + 1);
            assertThat(mean(input)).isNotEqualTo(expected);
        }
    }

    @Test
    void tensorsNeedNotBeContiguous() {
        Presets.require();
        float[] columns = new float[values.length];
        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < 64; j++) {
                columns[j * SIZE + i] = values[i * 64 + j];
            }
        }
        try (FloatPointer pointer = new FloatPointer(columns);
                Tensor transposed = torch.from_blob(pointer, new long[] {64, SIZE});
                Tensor tensor = transposed.t()) {
            assertThat(Fixtures.relativeError(mean(Input.of(tensor)), expected))
                    .isLessThan(Rounding.apart(64, 128, 64, 10, 64));
        }
    }

    @Test
    void closedAndUndefinedTensorsAreRefused() {
        Presets.require();
        Tensor tensor = torch.zeros(4, 64);
        Input input = Input.of(tensor);
        tensor.close();
        assertThatThrownBy(() -> mean(input))
                .isInstanceOf(InputException.class)
                .hasMessage("the tensor is null or was closed: give one that is open");
        try (Tensor undefined = new Tensor()) {
            assertThatThrownBy(() -> mean(Input.of(undefined))).isInstanceOf(InputException.class);
        }
    }

    @Test
    void doublesAreForModelsInDoublePrecision() {
        Data wide = Fixtures.data("float64.npz");
        double[] doubles = (double[]) wide.x();
        try (Model other = Model.load(Fixtures.file("float64.scripted.pt"))) {
            Outputs outputs = other.forward(Input.of(doubles, wide.shape()));
            DoubleBuffer buffer =
                    direct(8 * doubles.length).asDoubleBuffer().put(doubles).flip();
            assertThat(other.forward(Input.of(buffer, wide.shape())).doubles()).isEqualTo(outputs.doubles());
            assertThat(other.forward(Input.of(DoubleBuffer.wrap(doubles), wide.shape()))
                            .doubles())
                    .isEqualTo(outputs.doubles());
            assertThat(outputs.shape()[0]).isEqualTo(wide.size());
            assertThat(outputs.floats()[0]).isEqualTo((float) outputs.doubles()[0]);
        }
    }

    @Test
    void integersAreForModelsThatTakeTokens() {
        Data tokens = Fixtures.data("embedding.npz");
        long[] longs = (long[]) tokens.x();
        try (Model other = Model.load(Fixtures.file("embedding.scripted.pt"))) {
            float[] outputs = other.forward(Input.of(longs, tokens.shape())).floats();
            LongBuffer buffer =
                    direct(8 * longs.length).asLongBuffer().put(longs).flip();
            assertThat(other.forward(Input.of(buffer, tokens.shape())).floats()).isEqualTo(outputs);
            assertThat(other.forward(Input.of(LongBuffer.wrap(longs), tokens.shape()))
                            .floats())
                    .isEqualTo(outputs);
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        assertThatThrownBy(() -> Input.of(values, SIZE, 63))
                .isInstanceOf(InputException.class)
                .hasMessage("shape [64, 63] needs 4032 values, but there are 4096: "
                        + "give the shape of all samples, batch axis first");
        assertThatThrownBy(() -> Input.of(values))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> Input.of(values, -64, -64))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("negative axis -64");
        assertThatThrownBy(() -> Input.of(values, 1L << 62, 1L << 62))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("more than 2^63 values");
        assertThatThrownBy(() -> Input.of(new float[][] {{1, 2}, {3}}))
                .isInstanceOf(InputException.class)
                .hasMessage("row 1 has 1 values, but row 0 has 2: give rows of the same length");
    }

    @Test
    void directBuffersOfAnotherByteOrderAreRefused() {
        FloatBuffer foreign =
                ByteBuffer.allocateDirect(256).order(ByteOrder.BIG_ENDIAN).asFloatBuffer();
        assertThatThrownBy(() -> Input.of(foreign, 1, 64))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("call order(ByteOrder.nativeOrder()) on its ByteBuffer first");
    }

    @ParameterizedTest
    @ValueSource(strings = {"in-place-chain", "in-place-statements", "in-place-view"})
    void theInputOfAnInPlaceModelStaysAsItIs(String name) {
        Data samples = Fixtures.data(name + ".npz");
        FloatBuffer buffer = direct(4 * samples.floats().length).asFloatBuffer();
        buffer.put(samples.floats()).flip();
        Input input = Input.of(buffer, samples.shape());
        List<String> layers =
                Fixtures.layers(name).stream().map(Layer::name).distinct().toList();
        try (Model other = Model.load(Fixtures.file(name + ".scripted.pt"));
                Attribution attribution = other.attribution()
                        .layers(layers)
                        .methods(Fixtures.UNCONDITIONAL_METHODS)
                        .open()) {
            other.forward(input);
            other.layers(input);
            attribution.add(input, samples.y());
        }
        float[] after = new float[buffer.remaining()];
        buffer.duplicate().get(after);
        assertThat(after).isEqualTo(samples.floats());
    }
}
