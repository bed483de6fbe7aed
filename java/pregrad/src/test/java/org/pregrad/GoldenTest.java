package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fixture meets the values that eager PyTorch gave without PreGrad. */
class GoldenTest {
    private static final double TOLERANCE = Rounding.PROMISED_OF_GOLDEN_VALUES;
    /** What eager PyTorch itself gives in 32-bit floats where paths and removals cross kinks. */
    private static final double METHOD_TOLERANCE = 2e-5;
    /** Where maxima tie to within a 32-bit float at a point of a path, its fiftieth of the gradient goes to either. */
    private static final double PATH_TOLERANCE_BEHIND_MAXIMA = 1e-4;

    private static double tolerance(String model, Method method) {
        boolean isPath = method == Method.INTEGRATED_GRADIENTS
                || method == Method.INTERNAL_INFLUENCE
                || method == Method.CONDUCTANCE;
        return isPath && model.equals("digits-cnn") ? PATH_TOLERANCE_BEHIND_MAXIMA : METHOD_TOLERANCE;
    }

    static Stream<Fixtures.Entry> withActivations() {
        return Fixtures.accepted()
                .filter(entry -> !Fixtures.layers(entry.name()).isEmpty());
    }

    @ParameterizedTest
    @MethodSource("withActivations")
    void scoresMeetTheTruth(Fixtures.Entry entry) {
        Data data = Fixtures.data(entry.data());
        List<String> layers = Fixtures.layers(entry.name()).stream()
                .map(Layer::name)
                .distinct()
                .toList();
        List<Fixtures.Truth> truths = Fixtures.scores(entry.name());
        try (Model model = Model.load(Fixtures.file(entry.file()));
                Attribution attribution = model.attribution()
                        .layers(layers)
                        .methods(Fixtures.BASIC_METHODS)
                        .open()) {
            attribution.add(data.input(), data.y(), data.cluster());
            Scores scores = attribution.scores();
            assertThat(scores.all()).hasSameSizeAs(truths);
            for (Fixtures.Truth truth : truths) {
                Score score = scores.of(truth.layer() + "@" + truth.call(), truth.cluster(), truth.method());
                assertThat(score.count()).isEqualTo(truth.count());
                for (Aggregate aggregate : Fixtures.AGGREGATES) {
                    assertThat(Fixtures.relativeError(score.of(aggregate), truth.values()[aggregate.ordinal()]))
                            .as("%s, %s", score, aggregate.id())
                            .isLessThan(TOLERANCE);
                }
            }
        }
    }

    private static List<NeuronConstants> meanActivations(Model model, List<String> layers, Data data) {
        try (Attribution attribution =
                model.attribution().layers(layers).methods(Method.ACTIVATION).open()) {
            attribution.add(data.input(), data.y(), data.cluster());
            return attribution.scores().meanActivations();
        }
    }

    @ParameterizedTest
    @MethodSource("org.pregrad.Fixtures#withMethods")
    void methodsMeetTheTruth(Fixtures.Entry entry) {
        Data all = Fixtures.data(entry.data());
        Data data = all.part(0, Math.min(48, all.size()));
        Map<String, List<Fixtures.MethodTruth>> variants =
                Fixtures.methods(entry.name()).stream().collect(Collectors.groupingBy(Fixtures.MethodTruth::variant));
        assertThat(variants).containsOnlyKeys("", "zero", "zero-preactivation", "mean");
        try (Model model = Model.load(Fixtures.file(entry.file()))) {
            for (Map.Entry<String, List<Fixtures.MethodTruth>> variant : variants.entrySet()) {
                meets(entry.name(), model, data, variant.getKey(), variant.getValue());
            }
        }
    }

    private static void meets(String name, Model model, Data data, String variant, List<Fixtures.MethodTruth> truths) {
        List<String> layers =
                truths.stream().map(each -> each.truth().layer()).distinct().toList();
        Attribution.Builder options = model.attribution()
                .layers(layers)
                .methods(truths.stream()
                        .map(each -> each.truth().method())
                        .distinct()
                        .toList());
        if (!variant.isEmpty()) {
            options.removal(Removal.of(variant));
        }
        if (variant.equals("mean")) {
            options.baseline(Baseline.MEAN).means(meanActivations(model, layers, data));
        }
        try (Attribution attribution = options.open()) {
            attribution.add(data.input(), data.y(), data.cluster());
            Scores scores = attribution.scores();
            for (Fixtures.MethodTruth each : truths) {
                Fixtures.Truth truth = each.truth();
                Score score = scores.of(truth.layer() + "@" + truth.call(), truth.cluster(), truth.method());
                assertThat(score.count()).isEqualTo(truth.count());
                for (Aggregate aggregate : Fixtures.AGGREGATES) {
                    double[] values = score.of(aggregate);
                    double[] some = IntStream.of(each.neurons())
                            .mapToDouble(i -> values[i])
                            .toArray();
                    double[] expected = truth.values()[aggregate.ordinal()];
                    // Mean and deviation may be what larger numbers of the samples leave: errors count against those.
                    assertThat(Fixtures.distance(some, expected))
                            .as("%s, %s, %s", score, variant, aggregate.id())
                            .isLessThanOrEqualTo(tolerance(name, score.method())
                                    * Fixtures.norm(truth.values()[Aggregate.RMS.ordinal()]));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("org.pregrad.Fixtures#withCurves")
    void removalCurvesMeetTheTruth(Fixtures.Entry entry) {
        Data all = Fixtures.data(entry.data());
        Data data = all.part(0, Math.min(128, all.size()));
        Map<Removal, List<Fixtures.CurveTruth>> removals =
                Fixtures.curves(entry.name()).stream().collect(Collectors.groupingBy(Fixtures.CurveTruth::removal));
        assertThat(removals).containsOnlyKeys(Removal.values());
        try (Model model = Model.load(Fixtures.file(entry.file()))) {
            for (Map.Entry<Removal, List<Fixtures.CurveTruth>> removal : removals.entrySet()) {
                meets(model, data, removal.getKey(), removal.getValue());
            }
        }
    }

    private static void meets(Model model, Data data, Removal removal, List<Fixtures.CurveTruth> truths) {
        List<RemovalOrder> orders = new ArrayList<>();
        for (Fixtures.CurveTruth truth : truths) {
            int neurons = truth.points()[0].length - 1;
            int[] order = IntStream.range(0, neurons)
                    .map(i -> truth.order().equals("reverse") ? neurons - 1 - i : i)
                    .toArray();
            orders.add(new RemovalOrder(
                    truth.layer(), truth.call(), truth.cluster(), Method.GRADIENT, Aggregate.MEAN, 0, order));
        }
        Ablation.Builder options = model.ablation().orders(orders).removal(removal);
        if (removal == Removal.MEAN) {
            options.means(meanActivations(
                    model,
                    truths.stream().map(Fixtures.CurveTruth::layer).distinct().toList(),
                    data));
        }
        try (Ablation ablation = options.open()) {
            ablation.add(data.input(), data.y(), data.cluster());
            List<RemovalCurve> curves = ablation.curves();
            assertThat(curves).hasSameSizeAs(truths);
            for (int i = 0; i < curves.size(); i++) {
                RemovalCurve curve = curves.get(i);
                assertThat(curve.order()).isEqualTo(orders.get(i));
                double[][] values = {curve.accuracy(), curve.meanOutput(), curve.crossEntropy(), curve.outsideAccuracy()
                };
                for (int column = 0; column < values.length; column++) {
                    assertThat(Fixtures.relativeError(
                                    values[column], truths.get(i).points()[column]))
                            .as("%s, %s, column %s", curve, removal.id(), column)
                            .isLessThan(TOLERANCE);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("org.pregrad.Fixtures#accepted")
    void layersMeetTheTruth(Fixtures.Entry entry) {
        try (Model model = Model.load(Fixtures.file(entry.file()))) {
            // The golden files do not say what an activation is made of.
            assertThat(model.layers(Fixtures.data(entry.data()).input()))
                    .usingRecursiveFieldByFieldElementComparatorIgnoringFields("operators")
                    .containsExactlyElementsOf(Fixtures.layers(entry.name()));
        }
    }
}
