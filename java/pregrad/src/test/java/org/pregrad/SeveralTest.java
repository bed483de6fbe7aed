package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of several inputs and outputs, of outputs with positions, and of padded sequences. */
class SeveralTest {
    private static final double TOLERANCE = Rounding.PROMISED_OF_GOLDEN_VALUES;

    static Stream<Arguments> files() {
        return Stream.of(
                Arguments.of(Several.TWO_INPUTS, "scripted.pt"),
                Arguments.of(Several.TWO_INPUTS, "exported.pt2"),
                Arguments.of(Several.TAGGER, "exported.pt2"),
                Arguments.of(Several.BERT, "exported.pt2"));
    }

    private static Attribution.Builder options(Model model, String variant) {
        Attribution.Builder options = model.attribution().methods(Fixtures.BASIC_METHODS);
        switch (variant) {
            case "label", "labels":
                return options;
            case "label-masked", "labels-masked":
                return options.mask("attention_mask");
            case "log-probability":
                return options.output(Output.LOG_PROBABILITY).mask("attention_mask");
            case "multi-label-probability":
                return options.output(Output.PROBABILITY).multiLabel(true);
            case "difference-2-0":
                return options.target(Target.difference(2, 0));
            case "weights":
                return options.target(Target.weights());
            case "index-1":
                return options.at(At.index(1));
            case "pooled-3":
                return options.outputName("pooled").target(Target.index(3)).mask("attention_mask");
            default:
                return options.at(At.of(variant)).mask("attention_mask");
        }
    }

    private static Input labels(Several fixture, String variant) {
        switch (variant) {
            case "labels", "labels-masked", "log-probability":
                return fixture.input("tags");
            case "weights":
                return fixture.input("weights");
            case "difference-2-0", "pooled-3":
                return null;
            default:
                return fixture.input("y");
        }
    }

    @Test
    void scoresOfEachPositionAddUpToThoseOfPyTorch() {
        List<Several.Truth> truths = Several.BERT.truths().stream()
                .filter(truth -> truth.variant().equals("label-masked"))
                .filter(truth -> Stream.of(
                                Method.GRADIENT, Method.GRADIENT_X_PREACTIVATION, Method.GRADIENT_X_ACTIVATION)
                        .anyMatch(truth.method()::equals))
                .toList();
        assertThat(truths).isNotEmpty();
        try (Model model = Several.BERT.load();
                Attribution attribution = options(model, "label-masked")
                        .layers(truths.stream()
                                .map(Several.Truth::layer)
                                .distinct()
                                .toList())
                        .positions(Positions.EACH)
                        .open()) {
            attribution.add(Several.BERT.inputs(), Several.BERT.input("y"), Several.BERT.longs("cluster"));
            Scores scores = attribution.scores();
            for (Several.Truth truth : truths) {
                double[] sum = new double[truth.values()[0].length];
                List<Score> parts = scores.all().stream()
                        .filter(score -> truth.layer().equals(score.layer() + "@" + score.call())
                                && score.cluster() == truth.cluster()
                                && score.method() == truth.method()
                                && score.position().isPresent())
                        .toList();
                assertThat(parts).hasSizeGreaterThan(1);
                for (Score part : parts) {
                    assertThat(scores.of(
                                    truth.layer(),
                                    truth.cluster(),
                                    truth.method(),
                                    part.position().getAsLong()))
                            .isSameAs(part);
                    double[] mean = part.mean();
                    for (int neuron = 0; neuron < sum.length; neuron++) {
                        sum[neuron] += mean[neuron] * part.count() / truth.count();
                    }
                }
                assertThat(Fixtures.distance(sum, truth.values()[Aggregate.MEAN.ordinal()]))
                        .isLessThanOrEqualTo(TOLERANCE * Fixtures.norm(truth.values()[Aggregate.RMS.ordinal()]));
                assertThatThrownBy(() -> scores.of(truth.layer(), truth.cluster(), truth.method()))
                        .isInstanceOf(ArgumentException.class)
                        .hasMessageContaining("are those of its positions: name one, up to");
                assertThatThrownBy(() -> scores.of(truth.layer(), truth.cluster(), truth.method(), 1000))
                        .isInstanceOf(ArgumentException.class)
                        .hasMessageContaining("at position 1000: name one that counts for some sample");
            }
            assertThatThrownBy(scores::meanActivations)
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("take positions together");
        }
    }

    @Test
    void whatDoesNotFitIntoTheMemoryLimitIsRefused() {
        try (Model model = Several.BERT.load();
                Attribution attribution = options(model, "label-masked")
                        .layers("all")
                        .positions(Positions.EACH)
                        .memoryLimit(10_000)
                        .open()) {
            assertThatThrownBy(() -> attribution.add(Several.BERT.inputs(), Several.BERT.longs("y")))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageMatching(
                            "the scores need \\d+ bytes of memory where the memory limit is 10000: .* raise the limit");
            assertThat(attribution.scores().all()).isEmpty();
            assertThatThrownBy(() -> model.attribution().memoryLimit(-1)).isInstanceOf(ArgumentException.class);
        }
    }

    private static void meets(Scores scores, List<Several.Truth> truths) {
        assertThat(scores.all()).hasSameSizeAs(truths);
        for (Several.Truth truth : truths) {
            Score score = scores.of(truth.layer(), truth.cluster(), truth.method());
            assertThat(score.count()).isEqualTo(truth.count());
            double norm = Fixtures.norm(truth.values()[Aggregate.RMS.ordinal()]);
            for (Aggregate aggregate : Fixtures.AGGREGATES) {
                assertThat(Fixtures.distance(score.of(aggregate), truth.values()[aggregate.ordinal()]))
                        .as("%s, %s, %s", truth.variant(), score, aggregate.id())
                        .isLessThanOrEqualTo(TOLERANCE * norm);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void scoresMeetTheTruth(Several fixture, String form) {
        Map<String, List<Several.Truth>> variants =
                fixture.truths().stream().collect(Collectors.groupingBy(Several.Truth::variant));
        assertThat(variants).isNotEmpty();
        try (Model model = fixture.load(form)) {
            variants.forEach((variant, truths) -> {
                List<String> layers =
                        truths.stream().map(Several.Truth::layer).distinct().toList();
                try (Attribution attribution =
                        options(model, variant).layers(layers).open()) {
                    attribution.add(fixture.inputs(), labels(fixture, variant), fixture.longs("cluster"));
                    meets(attribution.scores(), truths);
                }
            });
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void outputsMeetTheTruth(Several fixture, String form) {
        Map<String, double[]> truths = fixture.outputs();
        try (Model model = fixture.load(form)) {
            Map<String, Outputs> outputs = model.outputs(fixture.inputs());
            assertThat(List.copyOf(outputs.keySet())).isEqualTo(List.copyOf(truths.keySet()));
            truths.forEach((name, truth) -> assertThat(
                            Fixtures.relativeError(outputs.get(name).doubles(), truth))
                    .as(name)
                    .isLessThan(TOLERANCE));
            String byDefault = truths.containsKey("logits") ? "logits" : "";
            assertThat(model.forward(fixture.inputs()).floats())
                    .isEqualTo(outputs.get(byDefault).floats());
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void removalCurvesMeetTheTruth(Several fixture, String form) {
        List<Several.Curve> truths = fixture.curves();
        List<RemovalOrder> orders = truths.stream()
                .map(truth -> new RemovalOrder(
                        truth.layer(),
                        0,
                        0,
                        Method.GRADIENT,
                        Aggregate.MEAN,
                        0,
                        IntStream.range(0, truth.accuracy().length - 1).toArray()))
                .toList();
        if (orders.isEmpty()) {
            return;
        }
        try (Model model = fixture.load(form);
                Ablation ablation = model.ablation().orders(orders).open()) {
            ablation.add(fixture.inputs(), fixture.longs("y"));
            List<RemovalCurve> curves = ablation.curves();
            for (int i = 0; i < truths.size(); i++) {
                assertThat(Fixtures.distance(
                                curves.get(i).accuracy(), truths.get(i).accuracy()))
                        .isLessThan(1e-9);
                assertThat(Fixtures.relativeError(
                                curves.get(i).meanOutput(), truths.get(i).meanOutput()))
                        .isLessThan(TOLERANCE);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void gradientsPassTheCheck(Several fixture, String form) {
        String variant = fixture.equals(Several.TAGGER) ? "labels" : "label";
        try (Model model = fixture.load(form);
                Check check = model.check()
                        .layers(fixture.truths().stream()
                                .map(Several.Truth::layer)
                                .distinct()
                                .toList())
                        .open()) {
            check.add(fixture.inputs(), labels(fixture, variant));
            assertThat(check.results()).isNotEmpty().allMatch(LayerCheck::passed);
        }
    }

    @Test
    void modelsTellWhatTheyTake() {
        try (Model scripted = Several.TWO_INPUTS.load("scripted.pt");
                Model exported = Several.TWO_INPUTS.load();
                Model bert = Several.BERT.load();
                Model one = Model.load(Fixtures.file("digits-mlp.exported.pt2"))) {
            assertThat(scripted.inputs()).extracting(ModelInput::name).containsExactly("x", "side");
            assertThat(scripted.inputs()).noneMatch(ModelInput::optional);
            assertThat(exported.inputs())
                    .containsExactly(
                            new ModelInput("x", "float32", List.of(-1L, 6L), false),
                            new ModelInput("side", "float32", List.of(-1L, 4L), false));
            assertThat(bert.inputs())
                    .containsExactly(
                            new ModelInput("input_ids", "int64", List.of(-1L, -1L), false),
                            new ModelInput("attention_mask", "int64", List.of(-1L, -1L), false));
            assertThat(one.inputs()).hasSize(1);
        }
    }

    @Test
    void layersHaveShapesForInputs() {
        try (Model model = Several.BERT.load()) {
            List<Layer> layers = model.layers(List.of("layers.*.mlp.act"), Several.BERT.inputs());
            assertThat(layers).extracting(Layer::name).containsExactly("layers.0.mlp.act", "layers.1.mlp.act");
            assertThat(layers).allMatch(layer -> layer.shape().equals(List.of(9L, 6L, 8L)) && layer.neuronAxis() == 2);
            assertThat(model.layers(Several.BERT.inputs())).containsAll(layers);
        }
    }

    /** What a service does: requests of any length, each with a class, padded into one batch. */
    @Test
    void scoresOfATransformerPerClass() {
        List<long[]> requests = List.of(
                new long[] {2, 7, 4, 12}, new long[] {3, 1, 5, 9, 6}, new long[] {8, 11}, new long[] {1, 1, 10});
        long[] classes = {0, 2, 1, 0};
        int longest = requests.stream().mapToInt(each -> each.length).max().getAsInt();
        Scores scores = perClass(requests, classes, longest);
        assertThat(scores.all()).hasSize(2 * 3).allMatch(score -> score.neurons() == 8);
        assertThat(scores.of("layers.1.mlp.act", 0, Method.GRADIENT).count()).isEqualTo(2);
        // Padding that nobody asked for changes nothing.
        for (Score longer : perClass(requests, classes, 8).all()) {
            Score score = scores.of(longer.layer(), longer.cluster(), longer.method());
            assertThat(Fixtures.relativeError(longer.meanAbs(), score.meanAbs()))
                    .isLessThan(TOLERANCE);
        }
    }

    private static Scores perClass(List<long[]> requests, long[] classes, int longest) {
        int n = requests.size();
        long[] tokens = new long[n * longest];
        long[] mask = new long[n * longest];
        for (int i = 0; i < n; i++) {
            int length = requests.get(i).length;
            System.arraycopy(requests.get(i), 0, tokens, i * longest, length);
            Arrays.fill(mask, i * longest, i * longest + length, 1);
        }
        Inputs batch =
                Inputs.of("input_ids", Input.of(tokens, n, longest)).and("attention_mask", Input.of(mask, n, longest));
        try (Model model = Several.BERT.load();
                Attribution attribution = model.attribution()
                        .layers("layers.*.mlp.act")
                        .mask("attention_mask")
                        .open()) {
            attribution.add(batch, classes, classes);
            return attribution.scores();
        }
    }

    /** Nothing flows past the second layer, which the output is linear in: conductance sums up to what the output gains. */
    @Test
    void pathsStartAtTheirBaselines() {
        Several fixture = Several.TWO_INPUTS;
        float[] start = {0.5f, -1, 0.25f, 1, -0.5f, 2};
        Inputs baseline = Inputs.of("x", Input.of(start, 1, 6));
        try (Model model = fixture.load();
                Attribution attribution = model.attribution()
                        .layers("act2")
                        .methods(Method.CONDUCTANCE)
                        .target(Target.index(1))
                        .inputBaselines(baseline)
                        .open();
                Attribution fromZero = model.attribution()
                        .layers("act2")
                        .methods(Method.CONDUCTANCE)
                        .target(Target.index(1))
                        .open()) {
            attribution.add(fixture.inputs(), (long[]) null);
            fromZero.add(fixture.inputs(), (long[]) null);
            double[] outputs = model.forward(fixture.inputs()).doubles();
            double mean = IntStream.range(0, 12)
                    .mapToDouble(i -> outputs[3 * i + 1])
                    .average()
                    .getAsDouble();
            Inputs before = baseline.and("side", Input.of(new float[4], 1, 4));
            double gain = mean - model.forward(before).doubles()[1];
            double[] conductance =
                    attribution.scores().of("act2", 0, Method.CONDUCTANCE).mean();
            assertThat(Arrays.stream(conductance).sum()).isCloseTo(gain, within(1e-4 * Fixtures.norm(outputs)));
            assertThat(fromZero.scores().of("act2", 0, Method.CONDUCTANCE).mean())
                    .isNotEqualTo(conductance);
        }
    }

    /** The ids choose vectors and nothing else, so that the path's start is the model at the baseline's tokens. */
    @Test
    void pathsOfTokensStartAtTheVectorsOfTheirBaseline() {
        Several fixture = Several.BERT;
        long[] tokens = {3, 1, 4, 1, 5, 9};
        Inputs baseline = Inputs.of("input_ids", Input.of(tokens, 1, 6));
        try (Model model = fixture.load();
                Attribution attribution = model.attribution()
                        .layers("input:input_ids")
                        .methods(Method.CONDUCTANCE)
                        .target(Target.index(1))
                        .steps(300)
                        .inputBaselines(baseline)
                        .open()) {
            int count = 9;
            attribution.add(fixture.inputs(), (long[]) null);
            long[] everywhere =
                    IntStream.range(0, count * 6).mapToLong(i -> tokens[i % 6]).toArray();
            Inputs start = Inputs.of("input_ids", Input.of(everywhere, count, 6))
                    .and("attention_mask", fixture.input("attention_mask"));
            double[] after = model.forward(fixture.inputs()).doubles();
            double[] before = model.forward(start).doubles();
            double gain = IntStream.range(0, count)
                    .mapToDouble(i -> after[3 * i + 1] - before[3 * i + 1])
                    .average()
                    .getAsDouble();
            double[] conductance = attribution
                    .scores()
                    .of("input:input_ids", 0, Method.CONDUCTANCE)
                    .mean();
            assertThat(conductance).hasSize(6);
            assertThat(Arrays.stream(conductance).sum()).isCloseTo(gain, within(1e-3 * Fixtures.norm(after)));
        }
    }

    @Test
    void severalTargetsAreAsManyBatches() {
        Several fixture = Several.TWO_INPUTS;
        long[][] targets = new long[12][];
        Arrays.fill(targets, new long[] {0, 1, 2});
        try (Model model = fixture.load();
                Attribution together = model.attribution().layers("act1").open();
                Attribution apart = model.attribution().layers("act1").open()) {
            together.addTargets(fixture.inputs(), targets, targets);
            for (int target = 0; target < 3; target++) {
                long[] column = new long[12];
                Arrays.fill(column, target);
                apart.add(fixture.inputs(), column, column);
            }
            for (Score truth : apart.scores().all()) {
                Score score = together.scores().of(truth.layer(), truth.cluster(), truth.method());
                assertThat(score.count()).isEqualTo(12);
                assertThat(Fixtures.distance(score.mean(), truth.mean()))
                        .isLessThanOrEqualTo(TOLERANCE * Fixtures.norm(truth.rms()));
            }
        }
    }

    private static double[] gradient(Model model, Inputs inputs) {
        try (Attribution attribution = model.attribution().layers("act1").open()) {
            attribution.add(inputs, Several.TWO_INPUTS.longs("y"));
            return attribution.scores().of("act1", 0, Method.GRADIENT).mean();
        }
    }

    @Test
    void everyKindOfMemoryGivesTheSameScores() {
        Several fixture = Several.TWO_INPUTS;
        float[] x = fixture.floats("x");
        float[] side = fixture.floats("side");
        ByteBuffer direct = ByteBuffer.allocateDirect(4 * side.length).order(ByteOrder.nativeOrder());
        direct.asFloatBuffer().put(side);
        try (Model model = fixture.load()) {
            double[] expected = gradient(model, fixture.inputs());
            List<Inputs> same = new ArrayList<>();
            same.add(Inputs.of("side", Input.of(side, 12, 4)).and("x", Input.of(x, 12, 6)));
            same.add(Inputs.of(Map.of("x", Input.of(x, 12, 6), "side", Input.of(side, 12, 4))));
            same.add(Inputs.of("x", Input.of(x, 12, 6)).and("side", Input.of(direct.asFloatBuffer(), 12, 4)));
            for (Inputs inputs : same) {
                assertThat(Fixtures.relativeError(gradient(model, inputs), expected))
                        .isLessThan(TOLERANCE);
            }
        }
    }

    @Test
    void tensorsAreShownInPlace() {
        Presets.require();
        Several fixture = Several.TWO_INPUTS;
        try (Model model = fixture.load();
                FloatPointer pointer = new FloatPointer(fixture.floats("side"));
                Tensor side = torch.from_blob(pointer, new long[] {12, 4})) {
            Inputs inputs = Inputs.of("x", fixture.input("x")).and("side", Input.of(side));
            assertThat(Fixtures.relativeError(gradient(model, inputs), gradient(model, fixture.inputs())))
                    .isLessThan(TOLERANCE);
        }
        Tensor closed = torch.zeros(12, 4);
        closed.close();
        try (Model model = fixture.load()) {
            Inputs inputs = Inputs.of("x", fixture.input("x")).and("side", Input.of(closed));
            assertThatThrownBy(() -> model.forward(inputs)).isInstanceOf(InputException.class);
        }
    }

    /** The mask of positions may be one that the model does not take, and of truth values. */
    @Test
    void masksNeedNotBeInputsOfTheModel() {
        Several fixture = Several.TAGGER;
        long[] mask = fixture.longs("attention_mask");
        boolean[] counts = new boolean[mask.length];
        int[] narrow = new int[mask.length];
        for (int i = 0; i < mask.length; i++) {
            counts[i] = mask[i] != 0;
            narrow[i] = (int) mask[i];
        }
        List<Several.Truth> truths = fixture.truths().stream()
                .filter(truth -> truth.variant().equals("labels-masked"))
                .toList();
        try (Model model = fixture.load()) {
            for (Input other : List.of(Input.of(counts, 10, 5), Input.of(narrow, 10, 5))) {
                try (Attribution attribution = options(model, "labels")
                        .layers("act")
                        .mask("counts")
                        .classAxis(2)
                        .open()) {
                    attribution.add(
                            fixture.inputs().and("counts", other), fixture.input("tags"), fixture.longs("cluster"));
                    meets(attribution.scores(), truths);
                }
            }
        }
    }

    @Test
    void oneInputNeedsNoName() {
        Data data = Fixtures.digits().part(0, 20);
        try (Model model = Model.load(Fixtures.file("digits-mlp.exported.pt2"));
                Attribution plain = model.attribution().layers("act1").open();
                Attribution alone = model.attribution().layers("act1").open();
                Attribution named = model.attribution().layers("act1").open()) {
            plain.add(data.input(), data.y(), data.cluster());
            alone.add(Inputs.of(data.input()), data.y(), data.cluster());
            named.add(Inputs.of(model.inputs().get(0).name(), data.input()), data.y(), data.cluster());
            for (Score score : plain.scores().all()) {
                for (Attribution other : List.of(alone, named)) {
                    assertThat(other.scores()
                                    .of("act1", score.cluster(), score.method())
                                    .mean())
                            .isEqualTo(score.mean());
                }
            }
        }
    }

    private static void fails(Class<? extends PreGradException> type, ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isExactlyInstanceOf(type)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    private static void adding(Several fixture, String layer, Consumer<Attribution> use) {
        try (Model model = fixture.load();
                Attribution attribution = model.attribution().layers(layer).open()) {
            use.accept(attribution);
            assertThat(attribution.scores().all()).isEmpty();
        }
    }

    @Test
    void inputsThatDoNotFit() {
        Several fixture = Several.TWO_INPUTS;
        long[] y = fixture.longs("y");
        Input x = fixture.input("x");
        Input side = fixture.input("side");
        adding(fixture, "act1", attribution -> {
            fails(InputException.class, () -> attribution.add(Inputs.of("x", x), y), "side");
            fails(InputException.class, () -> attribution.add(Inputs.of(x), y), "side");
            fails(InputException.class, () -> attribution.add(x, y), "side");
            Inputs typo = Inputs.of("x", x).and("sides", side);
            fails(InputException.class, () -> attribution.add(typo, y), "side");
            Inputs narrow = Inputs.of("x", x).and("side", Input.of(new float[36], 12, 3));
            fails(InputException.class, () -> attribution.add(narrow, y), "side", "[12, 3]");
            Inputs fewer = Inputs.of("x", x).and("side", Input.of(new float[44], 11, 4));
            fails(InputException.class, () -> attribution.add(fewer, y), "11", "12");
            fails(InputException.class, () -> attribution.add(fixture.inputs(), new long[11]), "11", "12");
            fails(InputException.class, () -> attribution.add(fixture.inputs(), new long[12], new long[11]), "11");
            fails(InputException.class, () -> attribution.add(fixture.inputs(), (long[]) null), "no labels");
        });
    }

    @Test
    void positionsThatNobodyNamed() {
        Several fixture = Several.TAGGER;
        adding(fixture, "act", attribution -> {
            assertThatThrownBy(() -> attribution.add(fixture.inputs(), fixture.longs("y")))
                    .isInstanceOf(PreGradException.class)
                    .hasMessageContainingAll("last", "first", "each", "mean");
            Input shorter = Input.of(new long[40], 10, 4);
            fails(InputException.class, () -> attribution.add(fixture.inputs(), shorter, null), "4 positions");
        });
    }

    @Test
    void optionsThatDoNotFit() {
        Several fixture = Several.TAGGER;
        try (Model model = fixture.load()) {
            for (Attribution.Builder options : List.of(
                    model.attribution().layers("act").outputName("logit"),
                    model.attribution().layers("act").mask("masks"))) {
                assertThatThrownBy(() -> {
                            try (Attribution attribution = options.open()) {
                                attribution.add(fixture.inputs(), fixture.input("tags"), null);
                            }
                        })
                        .isInstanceOf(PreGradException.class)
                        .hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void closedIsClosed() {
        Several fixture = Several.TWO_INPUTS;
        Model model = fixture.load();
        Attribution attribution = model.attribution().layers("act1").open();
        attribution.close();
        model.close();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> attribution.add(fixture.inputs(), fixture.longs("y")),
                () -> model.forward(fixture.inputs()),
                () -> model.outputs(fixture.inputs()),
                () -> model.layers(fixture.inputs()),
                model::inputs)) {
            assertThatThrownBy(call).isExactlyInstanceOf(IllegalStateException.class);
        }
    }
}
