package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong is a typed exception with a one-line message that says how to mend it, and changes nothing. */
class ErrorsTest {
    private static Model model;
    private static Data data;

    @BeforeAll
    static void open() {
        model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
        data = Fixtures.digits().part(0, 8);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static String fails(Class<? extends Throwable> type, ThrowingCallable call) {
        Throwable thrown = catchThrowable(call);
        assertThat(thrown).isExactlyInstanceOf(type);
        assertThat(thrown.getMessage())
                .isNotBlank()
                .doesNotContain("\n", "frame #", "Exception raised from", ".cpp:")
                .matches(message -> message.contains(":") || message.contains(";"), "tells what and how to mend it");
        return thrown.getMessage();
    }

    private static void attributing(Consumer<Attribution> use) {
        try (Attribution attribution = model.attribution().layers("act1").open()) {
            use.accept(attribution);
            assertThat(attribution.scores().all())
                    .as("a batch that throws adds nothing")
                    .isEmpty();
            attribution.add(data.input(), data.y(), data.cluster());
            assertThat(attribution.scores().all()).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"empty.pt", "random.pt", "truncated.pt", "zip.pt", "state-dict.pt", "eager-module.pt"})
    void filesThatAreNoModel(String name) {
        assertThat(fails(ModelException.class, () -> Model.load(Fixtures.file("broken/" + name))))
                .contains(name);
    }

    @Test
    void filesThatAreNotThere() {
        assertThat(fails(ModelException.class, () -> Model.load(Path.of("no-such-file.pt"))))
                .contains("no-such-file.pt");
        assertThat(fails(ModelException.class, () -> Model.load(Path.of("")))).isNotBlank();
        assertThat(fails(ModelException.class, () -> Model.load(Fixtures.folder())))
                .isNotBlank();
    }

    @Test
    void filesInsideAnArchive(@TempDir Path folder) throws IOException {
        URI archive = URI.create("jar:" + folder.resolve("a.zip").toUri());
        try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            fails(ModelException.class, () -> Model.load(zip.getPath("/model.pt")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"modèle-数字-🔢.pt", "with space.pt", "quote'.pt"})
    void fileNamesMayHoldAnyCharacter(String name, @TempDir Path folder) throws IOException {
        Path file = Files.copy(Fixtures.file("digits-mlp.scripted.pt"), folder.resolve(name));
        try (Model same = Model.load(file)) {
            assertThat(same.forward(data.input()).floats())
                    .isEqualTo(model.forward(data.input()).floats());
            assertThat(same.toString()).contains(name);
        }
        Files.delete(file);
        assertThat(fails(ModelException.class, () -> Model.load(file))).contains(name);
    }

    /** Models whose fixtures were made when PreGrad took one input and outputs [N, outputs] alone. */
    private static final Set<String> ATTRIBUTABLE =
            Set.of("refused-two-inputs", "refused-sequence-output", "refused-dict-output");

    static Stream<Fixtures.Entry> refused() {
        return Fixtures.refused().filter(entry -> !ATTRIBUTABLE.contains(entry.name()));
    }

    static Stream<Fixtures.Entry> attributable() {
        return Fixtures.refused().filter(entry -> ATTRIBUTABLE.contains(entry.name()));
    }

    @ParameterizedTest
    @MethodSource("attributable")
    void modelsThatAskForMore(Fixtures.Entry entry) {
        Data samples = Fixtures.data(entry.data());
        try (Model asking = Model.load(Fixtures.file(entry.file()))) {
            Attribution.Builder options =
                    asking.attribution().layers(asking.layers().get(0).name());
            try (Attribution attribution = options.open();
                    Attribution atLast = options.at(At.last()).open()) {
                switch (entry.name()) {
                    case "refused-two-inputs":
                        assertThat(fails(InputException.class, () -> attribution.add(samples.input(), samples.y())))
                                .contains("mask");
                        float[] mask = new float[samples.floats().length];
                        Arrays.fill(mask, 1);
                        attribution.add(
                                Inputs.of("x", samples.input()).and("mask", Input.of(mask, samples.shape())),
                                samples.y());
                        break;
                    case "refused-sequence-output":
                        assertThatThrownBy(() -> attribution.add(samples.input(), samples.y()))
                                .isInstanceOf(PreGradException.class)
                                .hasMessageContainingAll("last", "first", "each", "mean");
                        atLast.add(samples.input(), samples.y());
                        break;
                    default:
                        attribution.add(samples.input(), samples.y());
                        break;
                }
                assertThat(attribution.scores().all().size()
                                + atLast.scores().all().size())
                        .isEqualTo(1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("refused")
    void modelsThatCannotBeAttributed(Fixtures.Entry entry) {
        Data samples = Fixtures.data(entry.data());
        fails(UnsupportedModelException.class, () -> {
            try (Model refused = Model.load(Fixtures.file(entry.file()))) {
                String layer = refused.layers().get(0).name();
                try (Attribution attribution =
                        refused.attribution().layers(layer).open()) {
                    attribution.add(samples.input(), samples.y(), samples.cluster());
                }
            }
        });
    }

    @Test
    void inputs() {
        attributing(attribution -> {
            fails(InputException.class, () -> attribution.add(Input.of(new float[8 * 63], 8, 63), data.y()));
            fails(InputException.class, () -> attribution.add(Input.of(new long[8 * 64], 8, 64), data.y()));
            fails(InputException.class, () -> attribution.add(Input.of(new float[0], 0, 64), new long[0]));
            for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                float[] values = data.floats().clone();
                values[100] = value;
                fails(InputException.class, () -> attribution.add(Input.of(values, 8, 64), data.y()));
            }
        });
    }

    @Test
    void labels() {
        attributing(attribution -> {
            for (long label : new long[] {-1, 10, Long.MAX_VALUE}) {
                long[] labels = data.y().clone();
                labels[3] = label;
                assertThat(fails(InputException.class, () -> attribution.add(data.input(), labels)))
                        .contains(Long.toString(label));
            }
            fails(InputException.class, () -> attribution.add(data.input(), new long[7]));
            fails(InputException.class, () -> attribution.add(data.input(), null));
        });
    }

    @Test
    void clusters() {
        attributing(
                attribution -> fails(InputException.class, () -> attribution.add(data.input(), data.y(), new long[9])));
    }

    @Test
    void layers() {
        assertThat(fails(
                        LayerException.class,
                        () -> model.attribution().layers("act").open()))
                .contains("act1", "act2");
        fails(LayerException.class, () -> model.attribution().layers("act1@1").open());
        fails(LayerException.class, () -> model.attribution().layers("").open());
        fails(LayerException.class, () -> model.attribution().layers("数字🔢").open());
    }

    @Test
    void options() {
        fails(
                ArgumentException.class,
                () -> model.attribution().layers("act1").methods().open());
        fails(ArgumentException.class, () -> Target.index(-1));
        fails(ArgumentException.class, () -> Target.of("largest"));
        fails(ArgumentException.class, () -> Method.of("magic"));
        fails(ArgumentException.class, () -> Output.of("softmax"));
        fails(ArgumentException.class, () -> Aggregate.of("median"));
        assertThat(fails(ArgumentException.class, () -> Removal.of("one")))
                .isEqualTo("unknown removal 'one': use one of zero, zero-preactivation, mean");
        assertThat(fails(ArgumentException.class, () -> Quadrature.of("simpson")))
                .isEqualTo("unknown quadrature 'simpson': use one of gauss-legendre, trapezoid, midpoint");
        assertThat(fails(ArgumentException.class, () -> Baseline.of("blur")))
                .isEqualTo("unknown baseline 'blur': use one of zero, mean, given");
        fails(ArgumentException.class, () -> Device.of("tpu"));
        fails(ArgumentException.class, () -> Device.cuda(-1));
        fails(ArgumentException.class, () -> PreGrad.setThreads(0));
    }

    private static void refuses(Method method, UnaryOperator<Attribution.Builder> options) {
        fails(ArgumentException.class, () -> {
            try (Attribution attribution = options.apply(
                            model.attribution().layers("act1").methods(method))
                    .open()) {
                attribution.add(data.input(), data.y(), data.cluster());
            }
        });
    }

    @Test
    void optionsOfPaths() {
        for (int steps : new int[] {0, -1, Integer.MIN_VALUE}) {
            refuses(Method.INTEGRATED_GRADIENTS, options -> options.steps(steps));
        }
        refuses(Method.CONDUCTANCE, options -> options.quadrature(Quadrature.TRAPEZOID)
                .steps(1));
        refuses(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.MEAN));
        refuses(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.GIVEN));
        refuses(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.GIVEN)
                .baselines(List.of(new NeuronConstants("act1", 0, OptionalLong.empty(), new double[127]))));
        refuses(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.GIVEN)
                .baselines(List.of(new NeuronConstants("act2", 0, OptionalLong.empty(), new double[128]))));
        refuses(Method.ABLATION, options -> options.removal(Removal.MEAN));
    }

    private static RemovalOrder order(String layer, long call, int... neurons) {
        return new RemovalOrder(layer, call, 0, Method.GRADIENT, Aggregate.MEAN, 0, neurons);
    }

    @Test
    void ordersThatDoNotNameEveryNeuronOnce() {
        int[] twice = IntStream.range(0, 64).toArray();
        twice[63] = 0;
        int[] beyond = IntStream.range(1, 65).toArray();
        int[] negative = IntStream.range(-1, 63).toArray();
        for (int[] neurons : new int[][] {twice, beyond, negative, {}}) {
            fails(ArgumentException.class, () -> model.ablation()
                    .orders(List.of(order("act2", 0, neurons)))
                    .open());
        }
        fails(ArgumentException.class, () -> model.ablation().orders(List.of()).open());
        try (Ablation ablation = model.ablation()
                .orders(List.of(order("act2", 0, IntStream.range(0, 63).toArray())))
                .open()) {
            assertThat(fails(ArgumentException.class, () -> ablation.add(data.input(), data.y())))
                    .contains("63", "64");
            assertThat(ablation.curves().get(0).count()).isZero();
        }
    }

    @Test
    void measurements() {
        int[] neurons = IntStream.range(0, 64).toArray();
        fails(LayerException.class, () -> model.ablation()
                .orders(List.of(order("act9", 0, neurons)))
                .open());
        fails(ArgumentException.class, () -> model.ablation()
                .orders(List.of(order("act2", 0, neurons)))
                .removal(Removal.MEAN)
                .open());
        fails(ArgumentException.class, () -> RankCorrelation.spearman(new double[2], new double[3]));
        try (Ablation ablation =
                model.ablation().orders(List.of(order("act2", 0, neurons))).open()) {
            fails(InputException.class, () -> ablation.add(data.input(), null));
            fails(InputException.class, () -> ablation.add(data.input(), new long[7]));
            fails(InputException.class, () -> ablation.add(data.input(), data.y(), new long[9]));
            fails(InputException.class, () -> ablation.add(Input.of(new float[8 * 63], 8, 63), data.y()));
            assertThat(ablation.curves().get(0).count())
                    .as("a batch that throws adds nothing")
                    .isZero();
            ablation.add(data.input(), data.y());
            assertThat(ablation.curves().get(0).count()).isEqualTo(8);
        }
    }

    @Test
    void checks() {
        fails(LayerException.class, () -> model.check().layers("act9").open());
        fails(ArgumentException.class, () -> model.check().open());
        fails(
                ArgumentException.class,
                () -> model.check().layers("act1").mostNeurons(0).open());
        try (Check check = model.check().layers("act1").mostNeurons(2).open()) {
            fails(InputException.class, () -> check.add(data.input(), null));
            fails(InputException.class, () -> check.add(Input.of(new float[8 * 63], 8, 63), data.y()));
        }
    }

    @Test
    void statesThatWereNotSaved() {
        List<RemovalOrder> orders = RemovalOrder.random("act2", 0, 0, 64, 1, 0);
        try (Attribution attribution = model.attribution()
                        .layers("act1")
                        .methods(Method.ACTIVATION)
                        .open();
                Attribution other = model.attribution().layers("act2").open();
                Ablation ablation = model.ablation().orders(orders).open()) {
            attribution.add(data.input(), data.y());
            other.add(data.input(), data.y());
            ablation.add(data.input(), data.y());
            byte[] state = attribution.save();
            byte[] curves = ablation.save();
            byte[] flipped = state.clone();
            flipped[flipped.length / 2] ^= 1;
            for (byte[] wrong : List.of(
                    new byte[0],
                    new byte[100],
                    Arrays.copyOf(state, state.length - 1),
                    Arrays.copyOf(state, state.length + 1),
                    flipped,
                    curves,
                    other.save())) {
                fails(ArgumentException.class, () -> attribution.restore(wrong));
                fails(ArgumentException.class, () -> ablation.restore(wrong == curves ? state : wrong));
            }
            assertThat(attribution.save()).isEqualTo(state);
            assertThat(ablation.save()).isEqualTo(curves);
        }
    }

    @Test
    void targetsBeyondTheOutputs() {
        try (Attribution attribution =
                model.attribution().layers("act1").target(Target.index(10)).open()) {
            assertThat(fails(ArgumentException.class, () -> attribution.add(data.input(), null)))
                    .contains("10");
        }
    }

    @Test
    void nullIsNoValue() {
        assertThatThrownBy(() -> Model.load(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> model.attribution().layers((String) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> model.attribution().methods((Method) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> model.layers((long[]) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> model.ablation().removal(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> model.ablation().orders(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> model.attribution().inputBaseline(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> RankCorrelation.spearman(null, new double[0]))
                .isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Input.of((float[]) null, 1)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void shapesThatDoNotFitTheModel() {
        fails(InputException.class, () -> model.layers(1, 63));
        fails(InputException.class, () -> model.layers(-1, 64));
        fails(InputException.class, () -> model.forward(Input.of(new float[63], 1, 63)));
    }

    @Test
    void devicesThatAreNotThere() {
        assertThat(fails(
                        DeviceException.class,
                        () -> Model.load(Fixtures.file("digits-mlp.scripted.pt"), Device.cuda(99))))
                .contains("cuda:99");
    }

    @Test
    void devicesThatBreak() {
        float[] x = new float[2 * 64];
        x[64] = -1000;
        try (Model breaking = Model.load(Fixtures.file("special/little-memory.scripted.pt"))) {
            assertThat(fails(DeviceException.class, () -> breaking.forward(Input.of(x, 2, 64))))
                    .contains("(CUDA error: an illegal memory access was encountered)");
            assertThat(breaking.forward(Input.of(new float[64], 1, 64)).shape()).containsExactly(1, 10);
        }
    }

    @Test
    void batchesThatDoNotFitAreAddedInHalves() {
        Data some = Fixtures.digits().part(0, 50);
        float[] x = some.floats().clone();
        int samples = some.size();
        try (Model little = Model.load(Fixtures.file("special/little-memory.scripted.pt"));
                Attribution attribution = little.attribution().layers("act1").open();
                Attribution bySingles = little.attribution().layers("act1").open()) {
            attribution.add(some.input(), some.y(), some.cluster());
            for (int i = 0; i < samples; i++) {
                Data one = some.part(i, i + 1);
                bySingles.add(one.input(), one.y(), one.cluster());
            }
            assertThat(attribution.batchesSplit()).isEqualTo(15);
            assertThat(bySingles.batchesSplit()).isZero();
            List<Score> seen = attribution.scores().all();
            List<Score> expected = bySingles.scores().all();
            assertThat(seen).hasSameSizeAs(expected);
            for (int i = 0; i < seen.size(); i++) {
                assertThat(seen.get(i).count()).isEqualTo(expected.get(i).count());
                assertThat(Fixtures.relativeError(
                                seen.get(i).mean(), expected.get(i).mean()))
                        .isLessThan(Rounding.apart(10, 64));
            }
            byte[] before = attribution.save();
            x[64] = 1000;
            assertThat(fails(
                            DeviceException.class,
                            () -> attribution.add(Input.of(x, samples, 64), some.y(), some.cluster())))
                    .contains("single sample");
            assertThat(attribution.save()).isEqualTo(before);
        }
    }

    @Test
    void memoryThatRunsOut() {
        assertThatThrownBy(() -> model.layers(1L << 45, 64)).isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void scoresThatWereNotComputed() {
        try (Attribution attribution = model.attribution().layers("act1", "fc2").open()) {
            assertThat(fails(LayerException.class, () -> attribution.scores().of("act1", 0, Method.GRADIENT)))
                    .isEqualTo("no scores of layer 'act1': there are none");
            attribution.add(data.input(), data.y());
            Scores scores = attribution.scores();
            assertThat(scores.of("fc2", 0, Method.GRADIENT)).isSameAs(scores.of("act2@0", 0, Method.GRADIENT));
            assertThat(fails(LayerException.class, () -> scores.of("act3", 0, Method.GRADIENT)))
                    .isEqualTo("no scores of layer 'act3': there are act1@0, act2@0");
            fails(ArgumentException.class, () -> scores.of("act1", 1, Method.GRADIENT));
            assertThat(fails(ArgumentException.class, () -> scores.of("act1", 0, Method.ACTIVATION)))
                    .isEqualTo("no scores of layer 'act1@0' for cluster 0 and method activation: "
                            + "ask for a cluster in the data and a method that was requested");
        }
    }

    @Test
    void namesOfSeveralCalls() {
        Data samples = Fixtures.data("reused.npz");
        String name = Fixtures.layers("reused").stream()
                .filter(layer -> layer.call() > 0)
                .findFirst()
                .orElseThrow()
                .name();
        try (Model reused = Model.load(Fixtures.file("reused.scripted.pt"));
                Attribution attribution = reused.attribution().layers(name).open()) {
            attribution.add(samples.input(), samples.y());
            assertThat(fails(LayerException.class, () -> attribution.scores().of(name, 0, Method.GRADIENT)))
                    .contains(name + "@0", name + "@1");
            assertThat(attribution.scores().of(name + "@1", 0, Method.GRADIENT).call())
                    .isEqualTo(1);
        }
    }

    @Test
    void everyAggregateHasItsName() {
        assertThat(Arrays.stream(Aggregate.values()).map(Aggregate::id).map(Aggregate::of))
                .containsExactly(Aggregate.values());
        assertThat(Arrays.stream(Method.values()).map(Method::id).map(Method::of))
                .containsExactly(Method.values());
        assertThat(Arrays.stream(Output.values()).map(Output::id).map(Output::of))
                .containsExactly(Output.values());
        assertThat(Arrays.stream(Removal.values()).map(Removal::id).map(Removal::of))
                .containsExactly(Removal.values());
        assertThat(Arrays.stream(Quadrature.values()).map(Quadrature::id).map(Quadrature::of))
                .containsExactly(Quadrature.values());
        assertThat(Arrays.stream(Baseline.values()).map(Baseline::id).map(Baseline::of))
                .containsExactly(Baseline.values());
    }
}
