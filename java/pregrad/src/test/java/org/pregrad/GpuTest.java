package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The GPU against the processor, through Java. Each test is skipped where there is no GPU. PyTorch's faster but less exact
 * products must be off (NVIDIA_TF32_OVERRIDE=0, which tests/gpu/run sets).
 */
class GpuTest {
    /** Another one shows whether the tests themselves hold. */
    private static final Device GPU = Device.of(System.getProperty("pregrad.test.device", "cuda:0"));

    private static final double TOLERANCE = 1e-4;
    private static final String MLP = "digits-mlp.scripted.pt";

    private static String missing;

    @BeforeAll
    static void look() {
        try {
            Model.load(Fixtures.file(MLP), GPU).close();
            missing = "";
        } catch (DeviceException e) {
            missing = e.getMessage();
        }
    }

    @BeforeEach
    void requireGpu() {
        assumeTrue(missing.isEmpty(), missing);
    }

    private static List<Method> methods(Data data) {
        return Fixtures.UNCONDITIONAL_METHODS.stream()
                .filter(method -> data.x() instanceof float[]
                        || data.x() instanceof double[]
                        || (method != Method.CONDUCTANCE && method != Method.INTERNAL_INFLUENCE))
                .toList();
    }

    private static Attribution open(Model model, Data data) {
        return model.attribution()
                .layers(model.layers(data.input()).stream()
                        .map(layer -> layer.id())
                        .toList())
                .methods(methods(data))
                .steps(4)
                .open();
    }

    private static Data some(Fixtures.Entry entry) {
        Data all = Fixtures.data(entry.data());
        return all.part(0, Math.min(24, all.size()));
    }

    /** Means and deviations may be what larger numbers of the samples leave: errors count against the root mean square. */
    private static void close(double[] seen, double[] expected, double[] scale, Object what) {
        assertThat(Fixtures.distance(seen, expected))
                .as("%s", what)
                .isLessThanOrEqualTo(TOLERANCE * Fixtures.norm(scale));
    }

    @ParameterizedTest
    @MethodSource("org.pregrad.GoldenTest#withActivations")
    void scoresAreThoseOfTheProcessor(Fixtures.Entry entry) {
        Data data = some(entry);
        try (Model onProcessor = Model.load(Fixtures.file(entry.file()));
                Model onGpu = Model.load(Fixtures.file(entry.file()), GPU);
                Attribution expected = open(onProcessor, data);
                Attribution seen = open(onGpu, data)) {
            expected.add(data.input(), data.y(), data.cluster());
            seen.add(data.input(), data.y(), data.cluster());
            List<Score> truths = expected.scores().all();
            List<Score> scores = seen.scores().all();
            assertThat(scores).hasSameSizeAs(truths);
            for (int i = 0; i < truths.size(); i++) {
                Score truth = truths.get(i);
                assertThat(scores.get(i).count()).isEqualTo(truth.count());
                for (Aggregate aggregate : Fixtures.AGGREGATES) {
                    close(scores.get(i).of(aggregate), truth.of(aggregate), truth.rms(), truth);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("org.pregrad.Fixtures#withCurves")
    void removalCurvesAreThoseOfTheProcessor(Fixtures.Entry entry) {
        Data data = some(entry);
        List<RemovalCurve> expected = curves(entry, Device.cpu(), data);
        List<RemovalCurve> seen = curves(entry, GPU, data);
        assertThat(seen).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            RemovalCurve truth = expected.get(i);
            assertThat(seen.get(i).count()).isEqualTo(truth.count());
            close(seen.get(i).meanOutput(), truth.meanOutput(), truth.meanOutput(), truth);
        }
    }

    private static List<RemovalCurve> curves(Fixtures.Entry entry, Device device, Data data) {
        try (Model model = Model.load(Fixtures.file(entry.file()), device)) {
            List<RemovalOrder> orders = model.layers(data.input()).stream()
                    .flatMap(layer -> Arrays.stream(data.cluster())
                            .distinct()
                            .mapToObj(cluster -> RemovalOrder.random(
                                    layer.name(), layer.call(), cluster, (int) layer.neurons(), 1, 5)))
                    .flatMap(List::stream)
                    .toList();
            try (Ablation ablation = model.ablation().orders(orders).open()) {
                ablation.add(data.input(), data.y(), data.cluster());
                return ablation.curves();
            }
        }
    }

    @Test
    void aSecondRunGivesTheSameBits() {
        Data data = Fixtures.digits().part(0, 64);
        try (Model model = Model.load(Fixtures.file(MLP), GPU);
                Attribution first = open(model, data);
                Attribution second = open(model, data)) {
            first.add(data.input(), data.y(), data.cluster());
            second.add(data.input(), data.y(), data.cluster());
            assertThat(second.save()).isEqualTo(first.save());
        }
    }

    @Test
    void batchesOfOneShapeAreReplayed() {
        Data data = Fixtures.digits().part(0, 64);
        try (Model model = Model.load(Fixtures.file(MLP), GPU);
                Attribution seen = graphs(model, true);
                Attribution expected = graphs(model, false)) {
            for (int first = 0; first < 40; first += 8) {
                Data batch = data.part(first, first + 8);
                seen.add(batch.input(), batch.y(), null);
                expected.add(batch.input(), batch.y(), null);
            }
            assertThat(seen.graphRefusal()).isEmpty();
            assertThat(seen.batchesReplayed()).isEqualTo(GPU.toString().startsWith("cuda") ? 3 : 0);
            assertThat(expected.batchesReplayed()).isZero();
            List<Score> truths = expected.scores().all();
            List<Score> scores = seen.scores().all();
            assertThat(scores).hasSameSizeAs(truths);
            for (int i = 0; i < truths.size(); i++) {
                close(scores.get(i).mean(), truths.get(i).mean(), truths.get(i).rms(), truths.get(i));
            }
        }
    }

    private static Attribution graphs(Model model, boolean wanted) {
        return model.attribution()
                .layers("act1")
                .methods(Method.GRADIENT, Method.ACTIVATION)
                .cudaGraphs(wanted)
                .open();
    }

    @Test
    void outputsAreThoseOfTheProcessor() {
        Data data = Fixtures.digits().part(0, 64);
        try (Model onProcessor = Model.load(Fixtures.file(MLP));
                Model onGpu = Model.load(Fixtures.file(MLP), GPU)) {
            double[] expected = onProcessor.forward(data.input()).doubles();
            close(onGpu.forward(data.input()).doubles(), expected, expected, "outputs");
        }
    }

    @Test
    void devicesBeyondThoseThatAreThereAreNamed() {
        assertThatThrownBy(() -> Model.load(Fixtures.file(MLP), Device.cuda(99)))
                .isExactlyInstanceOf(DeviceException.class)
                .hasMessageContaining("no device 'cuda:99'");
    }

    /** A wrong index trips an assertion in a kernel, and with it the process's CUDA context. */
    public static final class Breaking {
        private Breaking() {}

        public static void main(String[] arguments) {
            Data tokens = Fixtures.data("embedding.npz").part(0, 8);
            Data digits = Fixtures.digits().part(0, 8);
            long[] wrong = ((long[]) tokens.x()).clone();
            Arrays.setAll(wrong, i -> wrong[i] + (1 << 20));
            try (Model embedding = Model.load(Fixtures.file("embedding.scripted.pt"), GPU);
                    Model mlp = Model.load(Fixtures.file(MLP), GPU);
                    Model onProcessor = Model.load(Fixtures.file(MLP))) {
                report(() -> embedding.forward(Input.of(wrong, tokens.shape())));
                report(() -> embedding.forward(tokens.input()));
                report(() -> mlp.forward(digits.input()));
                report(() -> Model.load(Fixtures.file(MLP), GPU));
                report(() -> onProcessor.forward(digits.input()));
            }
        }

        private static void report(Runnable use) {
            try {
                use.run();
                System.out.println("fine");
            } catch (DeviceException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    void aStickyErrorLosesTheDeviceButNotTheJvm(@TempDir Path folder) throws IOException, InterruptedException {
        List<String> options = Stream.of("pregrad.libtorch", "pregrad.library", "pregrad.fixtures")
                .filter(name -> System.getProperty(name) != null)
                .map(name -> "-D" + name + "=" + System.getProperty(name))
                .toList();
        Child child = Child.run(folder, Breaking.class, Child.CLASS_PATH, options, Map.of())
                .succeeded();
        assertThat(child.out()).hasSize(5);
        assertThat(child.out().get(0)).contains("cuda:0 is lost (CUDA error: ");
        assertThat(child.out().subList(1, 4)).allMatch(line -> line.contains("cuda:0 was lost earlier"));
        assertThat(child.out().get(4)).isEqualTo("fine");
    }
}
