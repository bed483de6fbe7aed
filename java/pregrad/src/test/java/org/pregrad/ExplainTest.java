package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Values of single samples, and the samples of the largest values. */
@Timeout(LifecycleTest.PATIENCE_S)
class ExplainTest {
    /** A line of golden/explain.csv: what eager PyTorch gives in float64. */
    record Truth(String model, int sample, String layer, long call, Method method, int positions, double[] values) {
        @Override
        public String toString() {
            return model + ", sample " + sample + ", " + layer + "@" + call + ", " + method.id();
        }
    }

    static Stream<Truth> truths() {
        return Fixtures.rows("golden/explain.csv").stream()
                .map(row -> new Truth(
                        row[0],
                        Integer.parseInt(row[1]),
                        row[2],
                        Long.parseLong(row[3]),
                        Method.of(row[4]),
                        Integer.parseInt(row[5]),
                        Arrays.stream(row[6].split(" "))
                                .mapToDouble(Double::parseDouble)
                                .toArray()));
    }

    private static Model load(String model) {
        return Model.load(Fixtures.file(model + ".scripted.pt"));
    }

    private static Data data(String model) {
        return Fixtures.data(model.equals("digits-cnn") ? "digits-images.npz" : "digits.npz");
    }

    @ParameterizedTest
    @MethodSource("truths")
    void valuesMeetTheTruth(Truth truth) {
        Data data = data(truth.model);
        Data one = data.part(truth.sample, truth.sample + 1);
        try (Model model = load(truth.model);
                Attribution attribution = model.attribution()
                        .layers(truth.layer)
                        .methods(truth.method)
                        .steps(1000)
                        .positions(truth.positions > 0 ? Positions.EACH : Positions.TOGETHER)
                        .open()) {
            if (truth.method == Method.GRADIENT_X_CENTRED_ACTIVATION) {
                attribution.add(data.input(), data.y());
            }
            Explanation seen = attribution.explain(one.input(), one.y()).stream()
                    .filter(each -> each.call() == truth.call)
                    .findFirst()
                    .orElseThrow();
            assertThat(seen.layer()).isEqualTo(truth.layer);
            assertThat(seen.method()).isEqualTo(truth.method);
            assertThat(seen.samples()).isEqualTo(1);
            assertThat(seen.positions()).isEqualTo(truth.positions);
            // A path crosses kinks of a ReLU and of maxima, at which a rule of a thousand points is off by so much.
            boolean crossesKinks = truth.method == Method.INTEGRATED_GRADIENTS && truth.model.equals("digits-cnn");
            assertThat(Fixtures.relativeError(seen.values(), truth.values))
                    .isLessThan(crossesKinks ? 2e-3 : Rounding.PROMISED_OF_GOLDEN_VALUES);
        }
    }

    @Test
    void everyFormGivesTheSame() {
        Data data = Fixtures.digits().part(0, 4);
        float[][] rows = IntStream.range(0, 4)
                .mapToObj(i -> Arrays.copyOfRange(data.floats(), i * 64, i * 64 + 64))
                .toArray(float[][]::new);
        int[] labels = Arrays.stream(data.y()).mapToInt(label -> (int) label).toArray();
        try (Model model = load("digits-mlp");
                Attribution attribution = model.attribution()
                        .layers("act1", "act2")
                        .methods(Method.GRADIENT, Method.ACTIVATION)
                        .open();
                FloatPointer pointer = new FloatPointer(data.floats());
                Tensor tensor = torch.from_blob(pointer, new long[] {4, 64})) {
            List<Explanation> truth = attribution.explain(data.input(), data.y());
            assertThat(truth).hasSize(4);
            assertThat(truth.get(2).layer()).isEqualTo("act2");
            assertThat(truth.get(1).method()).isEqualTo(Method.ACTIVATION);
            double[] all = truth.stream()
                    .flatMapToDouble(each -> Arrays.stream(each.values()))
                    .toArray();
            assertThat(all).hasSize(4 * 2 * (128 + 64));
            Input buffer = Input.of(
                    ByteBuffer.allocateDirect(4 * 64 * Float.BYTES)
                            .order(ByteOrder.nativeOrder())
                            .asFloatBuffer()
                            .put(0, data.floats()),
                    4,
                    64);
            Inputs named = Inputs.of("x", data.input());
            for (List<Explanation> seen : List.of(
                    attribution.explain(rows, labels),
                    attribution.explain(buffer, data.y()),
                    attribution.explain(Input.of(tensor), data.y()),
                    attribution.explain(named, data.y()),
                    attribution.explain(named, Input.of(data.y(), 4)))) {
                assertThat(seen).usingRecursiveComparison().isEqualTo(truth);
            }
            double[] array = new double[all.length];
            assertThat(attribution.explain(data.input(), data.y(), array)).isEqualTo(all.length);
            assertThat(array).isEqualTo(all);
            Input perSample = Input.of(data.y(), 4);
            assertThat(attribution.explain(named, perSample, new double[all.length]))
                    .isEqualTo(all.length);
            for (DoubleBuffer memory : List.of(direct(all.length + 3), DoubleBuffer.allocate(all.length + 3))) {
                memory.position(2);
                assertThat(attribution.explain(data.input(), data.y(), memory)).isEqualTo(all.length);
                assertThat(memory.position()).isEqualTo(2);
                assertThat(values(memory, 0, 2)).containsOnly(0);
                assertThat(values(memory, 2, all.length)).isEqualTo(all);
                assertThat(attribution.explain(named, perSample, memory)).isEqualTo(all.length);
            }
            assertThat(attribution.scores().all()).isEmpty();
        }
    }

    private static DoubleBuffer direct(int size) {
        return ByteBuffer.allocateDirect(size * Double.BYTES)
                .order(ByteOrder.nativeOrder())
                .asDoubleBuffer();
    }

    private static double[] values(DoubleBuffer from, int begin, int count) {
        double[] values = new double[count];
        from.get(begin, values);
        return values;
    }

    @Test
    void anExplanationIsReadBySampleAndNeuron() {
        Explanation together = new Explanation("act", 1, Method.GRADIENT, 2, 3, 0, new double[] {0, 1, 2, 3, 4, 5});
        assertThat(together.value(1, 2)).isEqualTo(5);
        assertThat(together.of(1)).containsExactly(3, 4, 5);
        assertThat(together).hasToString("act@1, gradient: 2 samples, 3 neurons");
        assertThatThrownBy(() -> together.value(2, 0))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("there is no sample 2: there are 2, counted from 0");
        assertThatThrownBy(() -> together.value(0, 0, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        Explanation each = new Explanation("act", 0, Method.ACTIVATION, 1, 2, 3, new double[] {0, 1, 2, 3, 4, 5});
        assertThat(each.value(0, 2, 1)).isEqualTo(5);
        assertThatThrownBy(() -> each.value(0, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("name one, from 0 to 2");
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Data data = Fixtures.digits().part(0, 2);
        try (Model model = load("digits-mlp");
                Attribution attribution = model.attribution().layers("act2").open()) {
            assertThatThrownBy(() -> attribution.explain(data.input(), data.y(), new double[127]))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessage(
                            "there are 128 values and room for 127: give memory for all of them, or fewer samples at"
                                    + " once");
            assertThatThrownBy(() -> attribution.explain(
                            data.input(), data.y(), direct(130).asReadOnlyBuffer()))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("read-only");
            DoubleBuffer other = ByteBuffer.allocateDirect(2048)
                    .order(
                            ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                                    ? ByteOrder.BIG_ENDIAN
                                    : ByteOrder.LITTLE_ENDIAN)
                    .asDoubleBuffer();
            assertThatThrownBy(() -> attribution.explain(data.input(), data.y(), other))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("byte order");
            assertThatThrownBy(() -> attribution.explain(data.input(), new long[] {1}))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("1 labels for 2 samples");
            assertThatThrownBy(() -> attribution.explain(data.input(), null)).isInstanceOf(InputException.class);
            assertThat(attribution.examples()).isEmpty();
        }
        assertThatThrownBy(() -> model().examples(-1))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("-1 examples");
    }

    private static Attribution.Builder model() {
        try (Model model = load("digits-mlp")) {
            return model.attribution();
        }
    }

    @Test
    void theCentredMethodSaysWhatItNeeds() {
        Data data = Fixtures.digits().part(0, 2);
        try (Model model = load("digits-mlp");
                Attribution attribution = model.attribution()
                        .layers("act2")
                        .methods(Method.GRADIENT_X_CENTRED_ACTIVATION)
                        .open()) {
            assertThatThrownBy(() -> attribution.explain(data.input(), data.y()))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("add samples first, give means");
        }
    }

    @Test
    void anIsolatedModelExplainsToo() {
        Data data = Fixtures.digits().part(0, 12);
        List<Object> results = new ArrayList<>();
        for (Model.Options options :
                List.of(Model.Options.defaults(), Model.Options.defaults().isolated())) {
            try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"), options);
                    Attribution attribution = model.attribution()
                            .layers("act2")
                            .methods(Method.GRADIENT, Method.ACTIVATION)
                            .examples(2)
                            .open()) {
                attribution.add(data.input(), data.y(), data.cluster());
                double[] array = new double[12 * 64 * 2];
                DoubleBuffer memory = direct(12 * 64 * 2);
                Inputs named = Inputs.of("x", data.input());
                results.add(List.of(
                        attribution.explain(data.input(), data.y()),
                        attribution.explain(named, data.y()),
                        attribution.explain(data.input(), data.y(), array),
                        attribution.explain(named, Input.of(data.y(), 12), memory),
                        array,
                        values(memory, 0, array.length),
                        attribution.examples()));
                assertThatThrownBy(() -> attribution.explain(data.input(), data.y(), new double[3]))
                        .isInstanceOf(ArgumentException.class)
                        .hasMessageContaining("there are 1536 values and room for 3");
            }
        }
        assertThat(results.get(1)).usingRecursiveComparison().isEqualTo(results.get(0));
    }

    @Test
    void threadsExplainAtOnceAndAClosedAttributionSaysSo() throws Exception {
        Data data = Fixtures.digits().part(0, 40);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (Model model = load("digits-mlp")) {
            Attribution attribution = model.attribution().layers("act2").open();
            List<Explanation> alone = new ArrayList<>();
            for (int i = 0; i < data.size(); i++) {
                Data one = data.part(i, i + 1);
                alone.addAll(attribution.explain(one.input(), one.y()));
            }
            List<Callable<List<Explanation>>> work = new ArrayList<>();
            for (int i = 0; i < data.size(); i++) {
                Data one = data.part(i, i + 1);
                work.add(() -> attribution.explain(one.input(), one.y()));
            }
            List<Future<List<Explanation>>> done = threads.invokeAll(work);
            for (int i = 0; i < data.size(); i++) {
                assertThat(done.get(i).get().get(0).values())
                        .isEqualTo(alone.get(i).values());
            }
            attribution.close();
            assertThatThrownBy(() -> attribution.explain(data.input(), data.y()))
                    .isExactlyInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> attribution.explain(data.input(), data.y(), new double[1]))
                    .isExactlyInstanceOf(IllegalStateException.class);
            assertThatThrownBy(attribution::examples).isExactlyInstanceOf(IllegalStateException.class);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void examplesAreThoseOfASortOfAllValues() {
        int kept = 3;
        Data data = Fixtures.digits().part(0, 60);
        try (Model model = load("digits-mlp");
                Attribution attribution = model.attribution()
                        .layers("act2")
                        .methods(Method.ACTIVATION, Method.GRADIENT)
                        .examples(kept)
                        .open()) {
            double[][][] values = new double[2][data.size()][];
            for (int i = 0; i < data.size(); i++) {
                Data one = data.part(i, i + 1);
                attribution.add(one.input(), one.y(), one.cluster());
                List<Explanation> explained = attribution.explain(one.input(), one.y());
                values[0][i] = explained.get(0).of(0);
                values[1][i] = explained.get(1).of(0);
            }
            List<Method> methods = List.of(Method.GRADIENT, Method.ACTIVATION);
            List<Example> examples = attribution.examples();
            assertThat(examples).isNotEmpty();
            for (Example example : examples) {
                double[][] of = values[methods.indexOf(example.method())];
                int sample = IntStream.range(0, data.size())
                        .filter(i -> data.cluster()[i] == example.cluster())
                        .boxed()
                        .sorted(Comparator.comparingDouble((Integer i) -> -of[i][example.neuron()])
                                .thenComparing(Comparator.naturalOrder()))
                        .skip(example.rank())
                        .findFirst()
                        .orElseThrow();
                assertThat(example.sample()).isEqualTo(sample);
                assertThat(example.value()).isEqualTo(of[sample][example.neuron()]);
                assertThat(example.position()).isZero();
                assertThat(example.rank()).isLessThan(kept);
                assertThat(example.layer()).isEqualTo("act2");
            }
            long clusters = Arrays.stream(data.cluster()).distinct().count();
            assertThat(examples).hasSize((int) (clusters * 2 * 64 * kept));
            try (Attribution other = model.attribution()
                    .layers("act2")
                    .methods(Method.ACTIVATION, Method.GRADIENT)
                    .examples(kept)
                    .open()) {
                other.restore(attribution.save());
                assertThat(other.examples()).isEqualTo(examples);
            }
        }
    }

    @Test
    void methodsAddUpOverTheInput() {
        Data data = Fixtures.digits().part(5, 6);
        try (Model model = load("digits-mlp-tanh");
                Attribution attribution = model.attribution()
                        .layers("input:x")
                        .methods(Method.INTEGRATED_GRADIENTS)
                        .open()) {
            double total = Arrays.stream(
                            attribution.explain(data.input(), data.y()).get(0).of(0))
                    .sum();
            int label = (int) data.y()[0];
            double difference = model.forward(data.input()).doubles()[label]
                    - model.forward(Input.of(new float[64], 1, 64)).doubles()[label];
            assertThat(total).isCloseTo(difference, within(1e-4 * Math.abs(difference)));
        }
    }
}
