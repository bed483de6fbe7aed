package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pregrad.internal.isolation.Limits;

/** A model in a process of its own does what one in this process does, and ends alone. */
@Timeout(LifecycleTest.PATIENCE_S)
@SuppressWarnings("try") // attributions are open while their model closes
class IsolatedTest {
    private static final Model.Options ISOLATED = Model.Options.defaults().isolated();
    private static final Path FILE = Fixtures.file("digits-mlp.scripted.pt");
    private static final int THREADS = 8;

    @TempDir
    private Path folder;

    private record Running(Model model, ProcessHandle process) implements AutoCloseable {
        static Running start(Model.Options options) {
            Set<ProcessHandle> before = children();
            Model model = Model.load(FILE, options);
            Set<ProcessHandle> after = children();
            after.removeAll(before);
            assertThat(after).hasSize(1);
            return new Running(model, after.iterator().next());
        }

        void signal(String name) throws IOException, InterruptedException {
            IsolatedTest.signal(process.pid(), name);
        }

        @Override
        public void close() {
            model.close();
            assertThat(process.isAlive()).isFalse();
        }
    }

    private static Set<ProcessHandle> children() {
        return ProcessHandle.current().children().collect(Collectors.toSet());
    }

    private static void signal(long process, String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** What both give, which must be equal: the same kernels run on the same shapes, with as many threads. */
    private static <R> R both(Path file, Function<Model, R> use) {
        R here;
        try (Model model = Model.load(file)) {
            here = use.apply(model);
        }
        try (Model model = Model.load(file, ISOLATED)) {
            R there = use.apply(model);
            assertThat(there).usingRecursiveComparison().isEqualTo(here);
            return there;
        }
    }

    static Stream<Fixtures.Entry> models() {
        return Fixtures.withMethods().limit(3);
    }

    @ParameterizedTest
    @MethodSource("models")
    void scoresAreThoseOfThisProcess(Fixtures.Entry entry) {
        Data all = Fixtures.data(entry.data());
        Data data = all.part(0, Math.min(16, all.size()));
        both(Fixtures.file(entry.file()), model -> {
            List<Layer> layers = model.layers(data.input());
            List<String> names = layers.stream().map(Layer::name).distinct().toList();
            try (Attribution attribution = model.attribution()
                    .layers(names)
                    .methods(Fixtures.UNCONDITIONAL_METHODS)
                    .steps(4)
                    .inputBaseline(data.part(0, 1).input())
                    .open()) {
                attribution.add(data.input(), data.y(), data.cluster());
                attribution.addTargets(data.input(), new long[data.size()][2], null);
                return List.of(
                        layers,
                        model.layers(),
                        model.layers(List.of("*:out"), data.input()),
                        model.inputs(),
                        model.forward(data.input()).doubles(),
                        attribution.save(),
                        values(attribution.scores()),
                        attribution.scores().meanActivations(),
                        attribution.batchesSplit(),
                        attribution.batchesReplayed(),
                        attribution.graphRefusal());
            }
        });
    }

    private static List<double[]> values(Scores scores) {
        List<double[]> values = new ArrayList<>();
        for (Score score : scores.all()) {
            for (Aggregate aggregate : Fixtures.AGGREGATES) {
                values.add(score.of(aggregate));
            }
        }
        assertThat(values).isNotEmpty();
        return values;
    }

    @Test
    void curvesAndChecksAreThoseOfThisProcess() {
        Data data = Fixtures.digits().part(0, 16);
        both(FILE, model -> {
            List<RemovalOrder> orders = RemovalOrder.random("act1", 0, 3, 128, 2, 1);
            try (Ablation ablation = model.ablation().orders(orders).open();
                    Ablation other = model.ablation().orders(orders).open();
                    Check check = model.check().layers("act1").mostNeurons(4).open()) {
                ablation.add(data.input(), data.y(), data.cluster());
                other.restore(ablation.save());
                other.merge(ablation.save());
                check.add(data.input(), data.y());
                return List.of(ablation.curves(), other.curves(), other.save(), other.batchesSplit(), check.results());
            }
        });
    }

    @Test
    void aStateGoesOnInTheOtherProcess() {
        Data data = Fixtures.digits().part(0, 16);
        try (Model here = Model.load(FILE);
                Model there = Model.load(FILE, ISOLATED);
                Attribution first = here.attribution().layers("act1").open();
                Attribution second = there.attribution().layers("act1").open();
                Attribution both = here.attribution().layers("act1").open()) {
            first.add(data.part(0, 8).input(), data.part(0, 8).y());
            second.restore(first.save());
            second.add(data.part(8, 16).input(), data.part(8, 16).y());
            second.merge(first.save());
            both.add(data.part(0, 8).input(), data.part(0, 8).y());
            both.add(data.part(8, 16).input(), data.part(8, 16).y());
            both.merge(first.save());
            assertThat(second.save()).isEqualTo(both.save());
        }
    }

    static Stream<Input> sameValues() {
        float[] values = {9, 1, 2, 3, 4, 5, 6, 9};
        FloatBuffer direct = ByteBuffer.allocateDirect(8 * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        direct.put(0, values).position(1).limit(7);
        FloatBuffer heap = FloatBuffer.wrap(values, 1, 6);
        return Stream.of(
                Input.of(new float[] {1, 2, 3, 4, 5, 6}, 1, 6),
                Input.of(direct, 1, 6),
                Input.of(heap, 1, 6),
                Input.of(heap.asReadOnlyBuffer(), 1, 6),
                Input.of(new float[][] {{1, 2, 3, 4, 5, 6}}));
    }

    @Test
    void everyKindOfFloatsComesOver() {
        Path file = Fixtures.file("act-relu.scripted.pt");
        float[] truth;
        try (Model here = Model.load(file)) {
            truth = here.forward(Input.of(new float[] {1, 2, 3, 4, 5, 6}, 1, 6)).floats();
        }
        try (Model there = Model.load(file, ISOLATED)) {
            assertThat(sameValues())
                    .allSatisfy(
                            input -> assertThat(there.forward(input).floats()).isEqualTo(truth));
        }
    }

    @Test
    void inputsByNameComeOver() {
        Several several = Several.TAGGER;
        both(Fixtures.file("several/tagger.exported.pt2"), model -> {
            Inputs inputs = several.inputs();
            try (Attribution attribution = model.attribution()
                    .layers("all")
                    .mask("attention_mask")
                    .at(At.each())
                    .target(Target.predicted())
                    .open()) {
                attribution.add(inputs, null);
                return List.of(
                        model.inputs(),
                        model.layers(inputs),
                        model.layers(List.of("*:out"), inputs),
                        model.forward(inputs).doubles(),
                        List.copyOf(model.outputs(inputs).keySet()),
                        attribution.save());
            }
        });
    }

    /** Also more than a pipe holds. */
    @Test
    void batchesOfAnySizeComeOver() {
        float[] values = new float[5001 * 64];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 17 - 8;
        }
        both(FILE, model -> {
            List<double[]> outputs = new ArrayList<>();
            for (int samples : new int[] {1, 2, 3, 255, 256, 257, 5001}) {
                Input input = Input.of(FloatBuffer.wrap(values, 0, samples * 64), samples, 64);
                outputs.add(model.forward(input).doubles());
            }
            return outputs;
        });
    }

    @Test
    void tensorsOfThisProcessAreRefused() {
        Presets.require();
        try (Running running = Running.start(ISOLATED);
                FloatPointer values = new FloatPointer(new float[64]);
                Tensor tensor = torch.from_blob(values, new long[] {1, 64})) {
            assertThatThrownBy(() -> running.model().forward(Input.of(tensor)))
                    .isExactlyInstanceOf(InputException.class)
                    .hasMessageContaining("give an array or a buffer");
            assertThatThrownBy(() -> running.model().forward(Inputs.of("x", Input.of(tensor))))
                    .isExactlyInstanceOf(InputException.class);
            assertThat(values.isNull()).as("the tensor's memory is held").isFalse();
        }
    }

    /** The class and the message of what the call throws. */
    private static String failure(Callable<?> call) {
        Throwable thrown = catchThrowable(call::call);
        assertThat(thrown).isNotNull();
        return thrown.toString();
    }

    @Test
    void failuresAreThoseOfThisProcess() {
        both(
                FILE,
                model -> List.of(
                        failure(() -> model.forward(Input.of(new float[65], 1, 65))),
                        failure(() -> model.layers(List.of("nothing"), 1, 64)),
                        failure(() -> model.attribution()
                                .layers("act1")
                                .methods(Method.INTEGRATED_GRADIENTS)
                                .steps(0)
                                .open()),
                        failure(() -> {
                            try (Attribution attribution =
                                    model.attribution().layers("act1").open()) {
                                attribution.restore(new byte[] {1, 2, 3});
                                return null;
                            }
                        })));
        assertThat(failure(() -> Model.load(Path.of("no-such-file.pt"), ISOLATED)))
                .isEqualTo(failure(() -> Model.load(Path.of("no-such-file.pt"))))
                .contains("ModelException");
        Device device = Device.cuda(999);
        assertThat(failure(() -> Model.load(FILE, ISOLATED.device(device))))
                .isEqualTo(failure(() -> Model.load(FILE, device)))
                .contains("DeviceException");
        String unsupported = "UnsupportedModelException";
        Fixtures.Entry refused = Fixtures.refused()
                .filter(entry -> refusal(entry, Model.Options.defaults()).contains(unsupported))
                .findFirst()
                .orElseThrow();
        assertThat(refusal(refused, ISOLATED))
                .isEqualTo(refusal(refused, Model.Options.defaults()))
                .contains(unsupported);
        assertThat(children()).isEmpty();
    }

    private static String refusal(Fixtures.Entry entry, Model.Options options) {
        Data data = Fixtures.data(entry.data());
        Throwable thrown = catchThrowable(() -> {
            try (Model model = Model.load(Fixtures.file(entry.file()), options);
                    Attribution attribution = model.attribution()
                            .layers(model.layers().get(0).name())
                            .open()) {
                attribution.add(data.input(), data.y());
            }
        });
        return String.valueOf(thrown);
    }

    @Test
    void limitsNeedAProcess() {
        Model.Options options = Model.Options.defaults();
        assertThatThrownBy(() -> options.memoryLimit(1))
                .isExactlyInstanceOf(ArgumentException.class)
                .hasMessageContaining("2147483648");
        assertThatThrownBy(() -> Model.load(FILE, options.memoryLimit(Limits.LEAST_MEMORY)))
                .isExactlyInstanceOf(ArgumentException.class)
                .hasMessageContaining("isolated()");
    }

    @ParameterizedTest
    @CsvSource({"KILL, was killed (SIGKILL)", "SEGV, crashed (SIGSEGV", "FPE, crashed (SIGFPE"})
    void aCrashInTheMiddleOfACallIsAnException(String signal, String told) throws Exception {
        Running running = Running.start(ISOLATED);
        Attribution attribution = longCall(running.model());
        Throwable thrown = whileCalling(attribution, () -> running.signal(signal));
        assertThat(thrown)
                .isExactlyInstanceOf(ModelException.class)
                .hasMessageContaining("Model " + FILE + ": ")
                .hasMessageContaining(told);
        assertThat(running.process().isAlive()).isFalse();
        assertThatThrownBy(attribution::scores)
                .isExactlyInstanceOf(ModelException.class)
                .hasMessage(thrown.getMessage());
        assertThatThrownBy(running.model()::layers).isExactlyInstanceOf(ModelException.class);
        attribution.close();
        running.close();
        assertThatThrownBy(running.model()::layers).isExactlyInstanceOf(IllegalStateException.class);
        try (Running again = Running.start(ISOLATED)) {
            assertThat(again.model().layers()).isNotEmpty();
        }
    }

    /** An attribution whose next batch takes minutes. */
    private static Attribution longCall(Model model) {
        return model.attribution()
                .layers("act1")
                .methods(Method.INTEGRATED_GRADIENTS)
                .steps(10_000)
                .open();
    }

    private interface Action {
        void run() throws Exception;
    }

    /** What a call of minutes throws when the action is taken while it runs. */
    private static Throwable whileCalling(Attribution attribution, Action action) throws Exception {
        Throwable[] thrown = new Throwable[1];
        Thread calling = new Thread(() -> thrown[0] =
                catchThrowable(() -> attribution.add(Input.of(new float[256 * 64], 256, 64), new long[256])));
        calling.start();
        awaitCall(calling);
        action.run();
        calling.join();
        return thrown[0];
    }

    private static void awaitCall(Thread calling) {
        while (calling.getState() != Thread.State.WAITING) {
            assertThat(calling.isAlive()).isTrue();
            Thread.onSpinWait();
        }
    }

    @Test
    void aCallThatDoesNotEndInTimeIsEnded() throws Exception {
        // It never does: the process is stopped.
        Running running = Running.start(ISOLATED.timeLimit(Duration.ofSeconds(10)));
        running.signal("STOP");
        assertThatThrownBy(running.model()::layers)
                .isExactlyInstanceOf(ModelException.class)
                .hasMessageContaining("layers")
                .hasMessageContaining("time limit of 10000 ms");
        running.close();
    }

    @Test
    void aBatchBeyondTheMemoryLimitIsRefusedAndTheNextOneRuns() {
        try (Running running = Running.start(ISOLATED.memoryLimit(Limits.LEAST_MEMORY))) {
            // An input of zeros that takes twice the limit.
            long samples = 2 * Limits.LEAST_MEMORY / (64 * Float.BYTES);
            assertThatThrownBy(() -> running.model().layers(samples, 64))
                    .isExactlyInstanceOf(ModelException.class)
                    .hasMessageContaining("no memory left")
                    .hasMessageContaining("memoryLimit above " + Limits.LEAST_MEMORY + " bytes");
            assertThat(running.model().forward(Input.of(new float[64], 1, 64)).shape())
                    .containsExactly(1, 10);
        }
    }

    @Test
    void manyThreadsShareAModel() throws Exception {
        Data data = Fixtures.digits().part(0, THREADS * 8);
        List<Data> parts = IntStream.range(0, THREADS)
                .mapToObj(i -> data.part(8 * i, 8 * i + 8))
                .toList();
        double[] truth;
        try (Model here = Model.load(FILE);
                Attribution attribution = here.attribution().layers("act1").open()) {
            for (Data part : parts) {
                attribution.add(part.input(), part.y());
            }
            truth = attribution.scores().of("act1", 0, Method.GRADIENT).mean();
        }
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try (Running running = Running.start(ISOLATED);
                Attribution attribution =
                        running.model().attribution().layers("act1").open()) {
            List<Future<?>> calls = new ArrayList<>();
            for (Data part : parts) {
                calls.add(threads.submit(() -> {
                    for (int i = 0; i < 20; i++) {
                        attribution.add(part.input(), part.y());
                        assertThat(running.model().layers()).hasSize(2);
                    }
                }));
            }
            for (Future<?> call : calls) {
                call.get();
            }
            Score score = attribution.scores().of("act1", 0, Method.GRADIENT);
            assertThat(score.count()).isEqualTo(20L * data.size());
            assertThat(Fixtures.relativeError(score.mean(), truth)).isLessThan(1e-12);
            running.model().close();
            assertThat(running.process().isAlive())
                    .as("the attribution is open")
                    .isTrue();
            attribution.close();
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void closeWaitsForCallsThatRun() throws Exception {
        Data data = Fixtures.digits().part(0, 64);
        Running running = Running.start(ISOLATED);
        Attribution attribution = running.model()
                .attribution()
                .layers("act1")
                .methods(Method.INTEGRATED_GRADIENTS)
                .steps(200)
                .open();
        Throwable[] thrown = new Throwable[1];
        Thread calling = new Thread(() -> thrown[0] = catchThrowable(() -> attribution.add(data.input(), data.y())));
        calling.start();
        awaitCall(calling);
        attribution.close();
        running.close();
        calling.join();
        assertThat(thrown[0]).isNull();
        assertThatThrownBy(attribution::scores).isExactlyInstanceOf(IllegalStateException.class);
    }

    @Test
    void anInterruptHarmsNothing() {
        Data data = Fixtures.digits().part(0, 8);
        try (Running running = Running.start(ISOLATED);
                Attribution attribution =
                        running.model().attribution().layers("act1").open()) {
            Thread.currentThread().interrupt();
            // The first batch may take longer than an interrupted call may.
            Throwable ended = catchThrowable(() -> attribution.add(data.input(), data.y()));
            assertThat(Thread.interrupted()).isTrue();
            if (ended != null) {
                assertThat(ended).isInstanceOf(CancelledException.class);
            }
            attribution.add(data.input(), data.y());
            assertThat(attribution.scores().of("act1", 0, Method.GRADIENT).count())
                    .isEqualTo(ended == null ? 16 : 8);
        }
    }

    @Test
    void whatNobodyClosesEndsWithTheLastReference() {
        ProcessHandle process = Running.start(ISOLATED).process();
        while (process.isAlive()) {
            System.gc();
        }
    }

    /** Loads a model, tells the number of its process, and waits. */
    public static final class Main {
        private Main() {}

        public static void main(String[] arguments) throws IOException {
            try (Running running = Running.start(ISOLATED)) {
                System.out.println(running.process().pid());
                System.out.println(System.in.read());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"KILL", "INT"})
    void itEndsWithItsParent(String signal) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                // Tests may run where interrupts are ignored.
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dpregrad.libtorch=" + System.getProperty("pregrad.libtorch", ""),
                "-Dpregrad.fixtures=" + Fixtures.folder(),
                "-cp",
                Child.CLASS_PATH,
                Main.class.getName()));
        Process parent = new ProcessBuilder(command)
                .redirectError(folder.resolve("err").toFile())
                .start();
        BufferedReader out = new BufferedReader(new InputStreamReader(parent.getInputStream(), StandardCharsets.UTF_8));
        ProcessHandle process = ProcessHandle.of(Long.parseLong(out.readLine())).orElseThrow();
        signal(process.pid(), "INT");
        signal(process.pid(), "TERM");
        assertThat(process.isAlive())
                .as("a terminal's signals are its parent's")
                .isTrue();
        signal(parent.pid(), signal);
        parent.waitFor();
        process.onExit().join();
        assertThat(process.isAlive()).isFalse();
    }
}
