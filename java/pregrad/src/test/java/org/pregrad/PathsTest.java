package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every option of the methods reaches native code, and an attribution goes on after a break. */
class PathsTest {
    private static Model model;
    private static Data data;

    @BeforeAll
    static void open() {
        model = Model.load(Fixtures.file("digits-mlp-tanh.scripted.pt"));
        data = Fixtures.digits().part(0, 24);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Score score(Method method, UnaryOperator<Attribution.Builder> options) {
        try (Attribution attribution = options.apply(
                        model.attribution().layers("act1").methods(method))
                .open()) {
            attribution.add(data.input(), data.y());
            return attribution.scores().of("act1", 0, method);
        }
    }

    private static NeuronConstants constants(double... values) {
        return new NeuronConstants("act1", 0, OptionalLong.empty(), values);
    }

    private static double[] filled(double value) {
        return DoubleStream.generate(() -> value).limit(24).toArray();
    }

    @Test
    void scoresOfAPathAccountForTheOutput() {
        for (Method method : List.of(Method.INTEGRATED_GRADIENTS, Method.CONDUCTANCE)) {
            double fine = score(method, options -> options.steps(50)).completenessError();
            double coarse = score(method, options -> options.steps(1).quadrature(Quadrature.MIDPOINT))
                    .completenessError();
            assertThat(fine).as(method.id()).isLessThan(1e-3);
            assertThat(coarse).as(method.id()).isGreaterThan(fine);
        }
        assertThat(score(Method.INTERNAL_INFLUENCE, options -> options).completenessError())
                .isNaN();
    }

    @Test
    void everyRuleIsAnother() {
        for (Method method : List.of(Method.INTEGRATED_GRADIENTS, Method.CONDUCTANCE, Method.INTERNAL_INFLUENCE)) {
            assertThat(List.of(Quadrature.values()).stream().map(rule -> score(
                                    method, options -> options.steps(3).quadrature(rule))
                            .mean()))
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void baselinesOfALayer() {
        double[] zero = score(Method.INTEGRATED_GRADIENTS, options -> options).mean();
        double[] given = score(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.GIVEN)
                        .baselines(List.of(constants(filled(0)))))
                .mean();
        assertThat(given).isEqualTo(zero);
        List<NeuronConstants> means =
                List.of(constants(score(Method.ACTIVATION, options -> options).mean()));
        double[] fromMean = score(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.MEAN)
                        .means(means))
                .mean();
        double[] fromGiven = score(Method.INTEGRATED_GRADIENTS, options -> options.baseline(Baseline.GIVEN)
                        .baselines(means))
                .mean();
        assertThat(fromMean).isEqualTo(fromGiven).isNotEqualTo(zero);
    }

    @Test
    void baselinesOfTheInputAreCopiedWhenOpened() {
        float[] sample = new float[64];
        Arrays.fill(sample, 0.5f);
        FloatBuffer buffer =
                ByteBuffer.allocateDirect(4 * 64).order(ByteOrder.nativeOrder()).asFloatBuffer();
        buffer.put(sample).flip();
        try (Attribution attribution = model.attribution()
                .layers("act1")
                .methods(Method.CONDUCTANCE)
                .inputBaseline(Input.of(buffer, 1, 64))
                .open()) {
            buffer.put(0, Float.NaN);
            attribution.add(data.input(), data.y());
            assertThat(attribution.scores().of("act1", 0, Method.CONDUCTANCE).mean())
                    .isEqualTo(score(Method.CONDUCTANCE, options -> options.inputBaseline(Input.of(sample, 64)))
                            .mean())
                    .isNotEqualTo(score(Method.CONDUCTANCE, options -> options).mean())
                    .doesNotContain(Double.NaN);
        }
    }

    @Test
    void removals() {
        double[] zero = score(Method.ABLATION, options -> options).mean();
        // tanh(0) = 0, so that both mean the same here.
        assertThat(score(Method.ABLATION, options -> options.removal(Removal.ZERO_PREACTIVATION))
                        .mean())
                .isEqualTo(zero);
        double[] zeros = score(Method.ABLATION, options -> options.removal(Removal.MEAN)
                        .means(List.of(constants(filled(0)))))
                .mean();
        double[] halves = score(Method.ABLATION, options -> options.removal(Removal.MEAN)
                        .means(List.of(constants(filled(0.5)))))
                .mean();
        assertThat(zeros).isEqualTo(zero).isNotEqualTo(halves);
    }

    @Test
    void seeds() {
        double[] values = score(Method.RANDOM, options -> options.seed(-1)).mean();
        assertThat(values)
                .isEqualTo(score(Method.RANDOM, options -> options.seed(-1)).mean())
                .isNotEqualTo(score(Method.RANDOM, options -> options).mean());
        assertThat(DoubleStream.of(values)).allMatch(value -> value >= 0 && value < 1);
    }

    /** Each option crosses the border: the scores are others than without it, and the sums are what they must be. */
    @Test
    void methodsOfMoreInputsTakeThem() {
        Data some = data.part(0, 6);
        Data others = data.part(18, 24);
        Inputs pair = Inputs.of("x", some.input()).and("other", others.input());
        try (Attribution attribution = model.attribution()
                .layers("act2")
                .methods(
                        Method.PATCHING,
                        Method.GRADIENT_X_DIFFERENCE,
                        Method.EXPECTED_GRADIENTS,
                        Method.SHAPLEY,
                        Method.DEEP_LIFT)
                .corrupt("other")
                .references(Inputs.of("x", others.input()))
                .inputBaseline(some.part(0, 1).input())
                .permutations(4)
                .shapleyError(0.5)
                .seed(3)
                .open()) {
            attribution.add(pair, some.y(), null);
            Scores scores = attribution.scores();
            for (Method method : List.of(Method.SHAPLEY, Method.DEEP_LIFT, Method.EXPECTED_GRADIENTS)) {
                assertThat(scores.of("act2", 0, method).completenessError()).isLessThan(1e-4);
            }
            // What is behind the layer is linear: the approximation is what it approximates.
            double[] patched = scores.of("act2", 0, Method.PATCHING).mean();
            double[] linear = scores.of("act2", 0, Method.GRADIENT_X_DIFFERENCE).mean();
            for (int neuron = 0; neuron < patched.length; neuron++) {
                assertThat(patched[neuron]).isCloseTo(linear[neuron], within(1e-4));
            }
        }
    }

    @Test
    void wrongOptionsOfMethodsOfMoreInputsAreRefused() {
        Attribution.Builder shapley =
                model.attribution().layers("act2").methods(Method.SHAPLEY).permutations(1);
        assertThatThrownBy(shapley::open)
                .isInstanceOf(ArgumentException.class)
                .hasMessage("there are 1 permutations for shapley: give 2 to 1000000");
        Attribution.Builder expected = model.attribution().layers("act2").methods(Method.EXPECTED_GRADIENTS);
        assertThatThrownBy(expected::open)
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("has no references");
        try (Attribution patching =
                model.attribution().layers("act2").methods(Method.PATCHING).open()) {
            assertThatThrownBy(() -> patching.add(data.input(), data.y(), null))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("'corrupt.NAME'");
        }
    }

    private static Attribution openAll() {
        return model.attribution()
                .layers("act1", "act2")
                .methods(Fixtures.UNCONDITIONAL_METHODS)
                .steps(5)
                .open();
    }

    @Test
    void aBreakChangesNoBit() {
        Data first = data.part(0, 10);
        Data second = data.part(10, 24);
        byte[] state;
        try (Attribution attribution = openAll()) {
            attribution.add(first.input(), first.y(), first.cluster());
            state = attribution.save();
        }
        try (Attribution resumed = openAll();
                Attribution straight = openAll()) {
            resumed.add(second.input(), second.y());
            resumed.restore(state);
            resumed.add(second.input(), second.y(), second.cluster());
            straight.add(first.input(), first.y(), first.cluster());
            straight.add(second.input(), second.y(), second.cluster());
            assertThat(straight.scores().all()).hasSizeGreaterThan(2 * Fixtures.UNCONDITIONAL_METHODS.size());
            assertThat(resumed.scores().all())
                    .usingRecursiveComparison()
                    .withComparatorForType(Double::compare, Double.class)
                    .isEqualTo(straight.scores().all());
        }
    }
}
