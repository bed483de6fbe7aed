package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Removal curves against the model's own outputs and against scores, and going on after a break. */
class AblationTest {
    /** Of outputs up to 27, which are sums of 64 terms. */
    private static final double OUTPUT_TOLERANCE = 27 * Rounding.apart(64);

    private static Model model;
    private static Data data;
    private static Scores scores;

    @BeforeAll
    static void open() {
        model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
        data = Fixtures.digits().part(0, 200);
        try (Attribution attribution = model.attribution()
                .layers("act2")
                .methods(Method.ABLATION, Method.ACTIVATION, Method.RANDOM)
                .seed(5)
                .open()) {
            attribution.add(data.input(), data.y(), data.cluster());
            scores = attribution.scores();
        }
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static List<RemovalOrder> orders(Method method, Aggregate aggregate) {
        return scores.all().stream()
                .filter(score -> score.method() == method)
                .map(score -> RemovalOrder.of(score, aggregate))
                .toList();
    }

    private static List<RemovalCurve> curves(List<RemovalOrder> orders) {
        try (Ablation ablation = model.ablation().orders(orders).open()) {
            ablation.add(data.input(), data.y(), data.cluster());
            return ablation.curves();
        }
    }

    private record Whole(double accuracy, double meanOutput, double crossEntropy, long count) {}

    /** What the whole model does on the samples inside or outside a cluster. */
    private static Whole whole(long cluster, boolean inside) {
        Outputs outputs = model.forward(data.input());
        float[] logits = outputs.floats();
        int classes = logits.length / data.size();
        double right = 0;
        double output = 0;
        double entropy = 0;
        long count = 0;
        for (int i = 0; i < data.size(); i++) {
            if ((data.cluster()[i] == cluster) != inside) {
                continue;
            }
            int label = (int) data.y()[i];
            int largest = 0;
            double sum = 0;
            for (int j = 0; j < classes; j++) {
                largest = logits[i * classes + j] > logits[i * classes + largest] ? j : largest;
                sum += Math.exp(logits[i * classes + j]);
            }
            double chosen = logits[i * classes + label];
            right += largest == label ? 1 : 0;
            output += chosen;
            entropy += Math.log(sum) - chosen;
            count++;
        }
        return new Whole(right / count, output / count, entropy / count, count);
    }

    @Test
    void theFirstPointIsTheWholeModel() {
        List<RemovalOrder> orders = orders(Method.ABLATION, Aggregate.MEAN);
        List<RemovalCurve> curves = curves(orders);
        assertThat(curves).hasSameSizeAs(orders).hasSizeGreaterThan(1);
        for (int i = 0; i < curves.size(); i++) {
            RemovalCurve curve = curves.get(i);
            assertThat(curve.order()).isEqualTo(orders.get(i));
            Whole inside = whole(curve.order().cluster(), true);
            Whole outside = whole(curve.order().cluster(), false);
            assertThat(curve.count()).isEqualTo(inside.count());
            assertThat(curve.outsideCount()).isEqualTo(outside.count());
            assertThat(curve.removed()).isEqualTo(IntStream.rangeClosed(0, 64).toArray());
            assertThat(curve.accuracy()[0]).isEqualTo(inside.accuracy(), within(1e-12));
            assertThat(curve.outsideAccuracy()[0]).isEqualTo(outside.accuracy(), within(1e-12));
            assertThat(curve.meanOutput()[0]).isEqualTo(inside.meanOutput(), within(OUTPUT_TOLERANCE));
            assertThat(curve.crossEntropy()[0]).isEqualTo(inside.crossEntropy(), within(OUTPUT_TOLERANCE));
        }
    }

    @Test
    void theFirstRemovalIsTheOraclesScore() {
        for (RemovalCurve curve : curves(orders(Method.RANDOM, Aggregate.MEAN))) {
            int first = curve.order().neurons()[0];
            double score =
                    scores.of("act2", curve.order().cluster(), Method.ABLATION).mean()[first];
            assertThat(curve.meanOutput()[0] - curve.meanOutput()[1]).isEqualTo(score, within(OUTPUT_TOLERANCE));
        }
    }

    @Test
    void theAreaIsThatOfTheTrapezoids() {
        for (RemovalCurve curve : curves(orders(Method.ABLATION, Aggregate.MEAN_ABS))) {
            double[] accuracy = curve.accuracy();
            double area = 0;
            for (int i = 1; i < accuracy.length; i++) {
                area += (accuracy[i - 1] + accuracy[i]) / 2 / (accuracy.length - 1);
            }
            assertThat(curve.area()).isEqualTo(area, within(1e-12)).isBetween(0.0, 1.0);
        }
    }

    @Test
    void modelsOfOneOutputNeedNoLabels() {
        Data samples = Fixtures.data("single-output.npz");
        Layer layer = Fixtures.layers("single-output").get(0);
        int neurons = (int) layer.neurons();
        try (Model single = Model.load(Fixtures.file("single-output.scripted.pt"));
                Ablation ablation = single.ablation()
                        .orders(RemovalOrder.random(layer.name(), layer.call(), 0, neurons, 1, 0))
                        .target(Target.index(0))
                        .open()) {
            ablation.add(samples.input(), null);
            RemovalCurve curve = ablation.curves().get(0);
            assertThat(curve.accuracy()).hasSize(neurons + 1).containsOnly(Double.NaN);
            assertThat(curve.crossEntropy()).containsOnly(Double.NaN);
            double[] output = curve.meanOutput();
            double area = 0;
            for (int i = 1; i < output.length; i++) {
                area += (output[i - 1] + output[i]) / 2 / neurons;
            }
            assertThat(curve.area()).isEqualTo(area, within(1e-12));
        }
    }

    @Test
    void randomScoresRankAsTheFirstRandomOrder() {
        for (RemovalOrder order : orders(Method.RANDOM, Aggregate.MEAN)) {
            assertThat(RemovalOrder.random("act2", 0, order.cluster(), 64, 1, 5))
                    .containsExactly(order);
        }
    }

    @Test
    void whatIsRemovedMakesADifference() {
        List<RemovalOrder> orders = orders(Method.ABLATION, Aggregate.MEAN);
        List<double[]> outputs = new ArrayList<>();
        try (Ablation zero = model.ablation().orders(orders).open();
                Ablation mean = model.ablation()
                        .orders(orders)
                        .removal(Removal.MEAN)
                        .means(scores.meanActivations())
                        .open();
                Ablation other = model.ablation()
                        .orders(orders)
                        .target(Target.index(3))
                        .output(Output.PROBABILITY)
                        .open()) {
            for (Ablation each : List.of(zero, mean, other)) {
                each.add(data.input(), data.y(), data.cluster());
                outputs.add(each.curves().get(0).meanOutput());
            }
        }
        assertThat(outputs.get(1)[0]).isEqualTo(outputs.get(0)[0]);
        assertThat(outputs.get(1)[64]).isNotEqualTo(outputs.get(0)[64]);
        assertThat(outputs.get(2)[0]).isBetween(0.0, 1.0).isNotEqualTo(outputs.get(0)[0]);
    }

    @Test
    void clustersWithoutSamplesHaveNoValues() {
        List<RemovalCurve> curves = curves(RemovalOrder.random("act2", 0, 999, 64, 1, 0));
        assertThat(curves).hasSize(1);
        RemovalCurve curve = curves.get(0);
        assertThat(curve.count()).isZero();
        assertThat(curve.outsideCount()).isEqualTo(200);
        assertThat(curve.accuracy()).hasSize(65).containsOnly(Double.NaN);
        assertThat(curve.meanOutput()).hasSize(65).containsOnly(Double.NaN);
        assertThat(curve.crossEntropy()).hasSize(65).containsOnly(Double.NaN);
        assertThat(curve.outsideAccuracy()[0]).isEqualTo(whole(999, false).accuracy(), within(1e-12));
        assertThat(curve.area()).isNaN();
    }

    @Test
    void curvesAreCopies() {
        RemovalCurve curve = curves(orders(Method.RANDOM, Aggregate.MEAN)).get(0);
        for (double[] values :
                List.of(curve.accuracy(), curve.meanOutput(), curve.crossEntropy(), curve.outsideAccuracy())) {
            values[0] = -7;
        }
        curve.removed()[0] = -7;
        assertThat(curve.removed()[0]).isZero();
        assertThat(List.of(
                        curve.accuracy()[0],
                        curve.meanOutput()[0],
                        curve.crossEntropy()[0],
                        curve.outsideAccuracy()[0]))
                .doesNotContain(-7.0);
    }

    private static void same(List<RemovalCurve> curves, List<RemovalCurve> expected) {
        assertThat(curves).usingRecursiveComparison().isEqualTo(expected);
    }

    @Test
    void aBreakChangesNoBit() {
        List<RemovalOrder> orders = orders(Method.ABLATION, Aggregate.MEAN);
        Data first = data.part(0, 120);
        Data second = data.part(120, 200);
        byte[] state;
        try (Ablation ablation = model.ablation().orders(orders).open()) {
            ablation.add(first.input(), first.y(), first.cluster());
            state = ablation.save();
        }
        try (Ablation resumed = model.ablation().orders(orders).open();
                Ablation straight = model.ablation().orders(orders).open()) {
            resumed.add(second.input(), second.y());
            resumed.restore(state);
            resumed.add(second.input(), second.y(), second.cluster());
            straight.add(first.input(), first.y(), first.cluster());
            straight.add(second.input(), second.y(), second.cluster());
            same(resumed.curves(), straight.curves());
        }
    }

    @Test
    void threadsDoNotMatter() throws Exception {
        List<RemovalOrder> orders = orders(Method.ABLATION, Aggregate.MEAN);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try (Ablation ablation = model.ablation().orders(orders).open()) {
            List<Future<?>> running = new ArrayList<>();
            for (int begin = 0; begin < 200; begin += 40) {
                Data part = data.part(begin, begin + 40);
                running.add(pool.submit(() -> ablation.add(part.input(), part.y(), part.cluster())));
            }
            for (Future<?> each : running) {
                each.get();
            }
            List<RemovalCurve> expected = curves(orders);
            List<RemovalCurve> found = ablation.curves();
            assertThat(found).hasSameSizeAs(expected);
            for (int i = 0; i < found.size(); i++) {
                assertThat(Fixtures.relativeError(
                                found.get(i).meanOutput(), expected.get(i).meanOutput()))
                        .isLessThan(Rounding.PROMISED_BETWEEN_BATCHES);
                // No sample's two largest outputs are nearer than 2.5e-4 on these curves.
                assertThat(found.get(i).accuracy())
                        .containsExactly(expected.get(i).accuracy(), within(1e-12));
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void meanActivationsAreThoseOfAllClusters() {
        try (Attribution attribution = model.attribution()
                .layers("act1", "act2")
                .methods(Method.GRADIENT, Method.ACTIVATION)
                .open()) {
            attribution.add(data.input(), data.y());
            Scores together = attribution.scores();
            try (Attribution apart = model.attribution()
                    .layers("act1", "act2")
                    .methods(Method.ACTIVATION)
                    .open()) {
                apart.add(data.input(), data.y(), data.cluster());
                List<NeuronConstants> means = apart.scores().meanActivations();
                assertThat(means).extracting(NeuronConstants::layer).containsExactly("act1", "act2");
                for (NeuronConstants each : means) {
                    assertThat(each.cluster()).isEqualTo(OptionalLong.empty());
                    assertThat(Fixtures.relativeError(
                                    each.values(),
                                    together.of(each.layer(), 0, Method.ACTIVATION)
                                            .mean()))
                            .isLessThan(1e-12);
                }
            }
            assertThat(Collections.frequency(
                            together.all().stream().map(Score::method).toList(), Method.ACTIVATION))
                    .isEqualTo(2);
        }
    }
}
