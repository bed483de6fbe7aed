package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A network written by hand with tensors of JavaCPP, with the weights of digits-mlp, meets its golden values. */
@SuppressWarnings("try") // scopes and guards work by being open
class ProbeTest {
    private static final Map<String, Tensor> WEIGHTS = new HashMap<>();
    private static Data data;

    @BeforeAll
    static void readWeights() {
        Presets.require();
        data = Fixtures.digits();
        JitModule module = torch.load(Fixtures.file("digits-mlp.scripted.pt").toString());
        named_parameter_list parameters = module.named_parameters();
        named_parameter_iterator parameter = parameters.begin();
        for (long left = parameters.size(); left > 0; left--) {
            WEIGHTS.put(
                    parameter.access().name().getString(),
                    new Tensor(parameter.access().value()));
            parameter.increment();
        }
    }

    private static Tensor linear(String name, Tensor x) {
        return torch.linear(x, WEIGHTS.get(name + ".weight"), WEIGHTS.get(name + ".bias"));
    }

    private static Tensor samples(Data data) {
        try (FloatPointer values = new FloatPointer(data.floats())) {
            return torch.from_blob(values, data.shape()).clone();
        }
    }

    /** One forward of the network, tapped. */
    private static Tensor forward(Probe probe, Tensor x, UnaryOperator<Tensor> relu) {
        Tensor z = probe.tap("act1", linear("fc1", x));
        Tensor a = probe.activation("act1", relu.apply(z));
        z = probe.tap("act2", linear("fc2", a));
        a = probe.activation("act2", relu.apply(z));
        return linear("fc3", a);
    }

    private static void add(Probe probe, Data batch, UnaryOperator<Tensor> relu) {
        try (PointerScope scope = new PointerScope()) {
            probe.add(forward(probe, samples(batch), relu), batch.y(), batch.cluster());
        }
    }

    private static void meetsTheTruth(Scores scores, int size) {
        List<Fixtures.Truth> truths = Fixtures.scores("digits-mlp");
        assertThat(size).isEqualTo(1797);
        assertThat(scores.all()).hasSameSizeAs(truths);
        for (Fixtures.Truth truth : truths) {
            Score score = scores.of(truth.layer(), truth.cluster(), truth.method());
            assertThat(score.count()).isEqualTo(truth.count());
            for (Aggregate aggregate : Fixtures.AGGREGATES) {
                assertThat(Fixtures.relativeError(score.of(aggregate), truth.values()[aggregate.ordinal()]))
                        .as("%s, %s", score, aggregate.id())
                        .isLessThan(Rounding.PROMISED_OF_GOLDEN_VALUES);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void meetsTheGoldenValues(boolean inPlace) {
        try (Probe probe = Probe.builder().methods(Fixtures.BASIC_METHODS).open()) {
            add(probe, data, inPlace ? Tensor::relu_ : Tensor::relu);
            meetsTheTruth(probe.scores(), data.size());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"INTEGRATED_GRADIENTS", "CONDUCTANCE", "INTERNAL_INFLUENCE", "ABLATION"})
    void methodsThatRunTheModelAgainAreRefused(Method method) {
        assertThatThrownBy(() -> Probe.builder().methods(method).open())
                .isExactlyInstanceOf(ArgumentException.class)
                .hasMessageContaining(method.id());
    }

    @Test
    void allOtherMethodsAreTaken() {
        try (Probe probe =
                Probe.builder().methods(Fixtures.ONE_PASS_METHODS).seed(3).open()) {
            add(probe, data.part(0, 64), Tensor::relu);
            Scores scores = probe.scores();
            assertThat(scores.of("act2", 0, Method.RANDOM).ranking(Aggregate.MEAN))
                    .isEqualTo(
                            RemovalOrder.random("act2", 0, 0, 64, 1, 3).get(0).neurons());
            for (Method method : Fixtures.ONE_PASS_METHODS) {
                assertThat(Fixtures.norm(scores.of("act1", 0, method).rms())).isPositive();
            }
        }
    }

    @Test
    void threadsShareAProbe() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try (Probe probe = Probe.builder().methods(Fixtures.BASIC_METHODS).open()) {
            List<Future<?>> running = new ArrayList<>();
            for (int begin = 0; begin < data.size(); begin += 100) {
                Data part = data.part(begin, Math.min(begin + 100, data.size()));
                running.add(pool.submit(() -> add(probe, part, Tensor::relu_)));
            }
            for (Future<?> each : running) {
                each.get();
            }
            meetsTheTruth(probe.scores(), data.size());
        } finally {
            pool.shutdownNow();
        }
    }

    /** The sum of ∂y/∂z over samples is the gradient of the summed outputs by the bias; no hook is in that. */
    @Test
    void equalsTheGradientByTheBias() {
        try (PointerScope scope = new PointerScope();
                Probe probe = Probe.builder().target(Target.index(0)).open()) {
            torch.manual_seed(1);
            Tensor x = torch.randn(32, 5);
            Tensor first = torch.randn(7, 5);
            Tensor bias = torch.randn(7).requires_grad_(true);
            Tensor last = torch.randn(3, 7);
            Tensor outputs = torch.matmul(torch.linear(x, first, bias).tanh_(), last.t());
            outputs.select(1, 0).sum().backward();
            float[] truth = new float[7];
            bias.grad().data_ptr_float().get(truth);

            Tensor z = probe.tap("hidden", torch.linear(x, first, bias));
            probe.add(torch.matmul(z.tanh_(), last.t()), null, null);
            Score score = probe.scores().of("hidden", 0, Method.GRADIENT);
            double[] expected = new double[7];
            for (int i = 0; i < 7; i++) {
                expected[i] = truth[i] / 32;
            }
            // Forward, back, and over the samples: in float32 for the bias.
            assertThat(Fixtures.relativeError(score.mean(), expected)).isLessThan(Rounding.apart(5, 3, 32));
        }
    }

    /** What one gets without the probe: retain_grad follows the tensor through the in-place change. */
    @Test
    void theWrongWayIsWrong() {
        try (PointerScope scope = new PointerScope();
                Probe probe = Probe.builder().target(Target.index(0)).open()) {
            torch.manual_seed(2);
            Tensor x = torch.randn(64, 5);
            Tensor first = torch.randn(9, 5).requires_grad_(true);
            Tensor last = torch.randn(3, 9);

            Tensor kept = torch.linear(x, first);
            kept.retain_grad();
            torch.matmul(kept.relu_(), last.t()).select(1, 0).sum().backward();
            double[] wrong = mean(kept.grad());

            Tensor z = torch.linear(x, first);
            z.retain_grad();
            torch.matmul(z.relu(), last.t()).select(1, 0).sum().backward();
            double[] truth = mean(z.grad());

            Tensor tapped = probe.tap("hidden", torch.linear(x, first));
            probe.add(torch.matmul(tapped.relu_(), last.t()), null, null);
            double[] ours = probe.scores().of("hidden", 0, Method.GRADIENT).mean();

            assertThat(Fixtures.relativeError(wrong, truth)).isGreaterThan(0.5);
            assertThat(Fixtures.relativeError(ours, truth)).isLessThan(Rounding.apart(5, 3));
        }
    }

    private static double[] mean(Tensor gradients) {
        int samples = (int) gradients.size(0);
        int neurons = (int) gradients.size(1);
        float[] values = new float[samples * neurons];
        gradients.contiguous().data_ptr_float().get(values);
        double[] mean = new double[neurons];
        for (int i = 0; i < values.length; i++) {
            mean[i % neurons] += values[i] / (double) samples;
        }
        return mean;
    }

    /** A training loop with activations in place, beside one without a probe and retain_grad out of place. */
    @Test
    void collectAddsWhatTheProgramsBackwardLeaves() {
        try (PointerScope scope = new PointerScope();
                Probe all = Probe.builder().open()) {
            torch.manual_seed(4);
            int samples = 16;
            Tensor first = torch.randn(7, 5).requires_grad_(true);
            Tensor last = torch.randn(3, 7).requires_grad_(true);
            double[] sums = new double[7];
            for (int step = 0; step < 5; step++) {
                Tensor x = torch.randn(samples, 5);
                Tensor z = torch.linear(x, first);
                z.retain_grad();
                torch.matmul(z.tanh(), last.t()).pow(new Scalar(2)).sum().backward();
                double[] truth = mean(z.grad());
                Tensor expected = first.grad().clone();
                forget(first);
                forget(last);

                Tensor tapped = all.tap("hidden", torch.linear(x, first));
                Tensor loss = torch.matmul(tapped.tanh_(), last.t())
                        .pow(new Scalar(2))
                        .sum()
                        .div(new Scalar(samples));
                loss.backward();
                all.collect(null, samples);
                Tensor wanted = expected.div(new Scalar(samples));
                assertThat(torch.allclose(first.grad(), wanted, 1e-5, 1e-6, false))
                        .isTrue();
                try (NoGradGuard off = new NoGradGuard()) {
                    for (Tensor weight : List.of(first, last)) {
                        weight.sub_(weight.grad().mul(new Scalar(0.01)));
                        forget(weight);
                    }
                }
                for (int i = 0; i < 7; i++) {
                    sums[i] += truth[i] / 5;
                }
                Score score = all.scores().of("hidden", 0, Method.GRADIENT);
                assertThat(score.count()).isEqualTo((long) samples * (step + 1));
            }
            Score score = all.scores().of("hidden", 0, Method.GRADIENT);
            assertThat(Fixtures.relativeError(score.mean(), sums)).isLessThan(Rounding.apart(5, 3, samples));
        }
    }

    private static void forget(Tensor weight) {
        try (NoGradGuard off = new NoGradGuard()) {
            weight.mutable_grad().zero_();
        }
    }

    @Test
    void collectSaysWhatIsMissing() {
        try (PointerScope scope = new PointerScope();
                Probe probe = Probe.builder().open()) {
            assertThatThrownBy(() -> probe.collect(null, 1))
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("nothing was tapped");
            probe.tap("hidden", torch.randn(6, 4));
            assertThatThrownBy(() -> probe.collect(null, 1))
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("call backward()");
            Tensor z = probe.tap("hidden", torch.randn(6, 4));
            z.mul(new Scalar(Float.POSITIVE_INFINITY)).sum().backward();
            assertThatThrownBy(() -> probe.collect(null, 0)).isInstanceOf(ArgumentException.class);
            assertThatThrownBy(() -> probe.collect(null, 1))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("'hidden@0' is NaN or infinite");
            z = probe.tap("hidden", torch.randn(6, 4));
            z.sum().backward();
            assertThatThrownBy(() -> probe.collect(new long[5], 1)).isInstanceOf(InputException.class);
            assertThat(probe.scores().all()).isEmpty();
        }
    }

    @Test
    void callsAndLayersAreCounted() {
        try (PointerScope scope = new PointerScope();
                Probe probe = Probe.builder()
                        .layers("relu@1")
                        .target(Target.predicted())
                        .open()) {
            Tensor x = torch.randn(6, 4, 3, 3);
            Tensor z = probe.tap("relu", x).relu_();
            z = probe.tap("relu", z.transpose(1, 3), 3).relu_();
            assertThat(probe.layers()).extracting(Layer::id).containsExactly("relu@0", "relu@1");
            assertThat(probe.layers()).extracting(Layer::neuronAxis).containsExactly(1L, 3L);
            assertThat(probe.layers().get(0).shape()).containsExactly(6L, 4L, 3L, 3L);
            probe.add(z.sum(1, 2), null, null);
            assertThat(probe.layers()).isEmpty();
            assertThat(probe.scores().all()).hasSize(1);
            assertThat(probe.scores().of("relu@1", 0, Method.GRADIENT).count()).isEqualTo(6);
        }
    }

    @Test
    void discardForgetsTheForward() {
        try (PointerScope scope = new PointerScope();
                Probe probe = Probe.builder().open()) {
            probe.tap("hidden", torch.randn(6, 4));
            probe.discard();
            assertThat(probe.layers()).isEmpty();
            assertThatThrownBy(() -> probe.add(torch.randn(6, 3), new long[6], null))
                    .isExactlyInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void whatIsWrongIsTyped() {
        try (PointerScope scope = new PointerScope();
                Probe probe =
                        Probe.builder().methods(Method.GRADIENT_X_ACTIVATION).open()) {
            Tensor integers = torch.randn(6, 4).toType(torch.ScalarType.Long);
            assertThatThrownBy(() -> probe.tap("z", integers)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> probe.tap("z", torch.randn(6, 4), -1)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> probe.tap("z", null)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> probe.activation("z", torch.randn(6, 4)))
                    .isExactlyInstanceOf(IllegalStateException.class);
            try (NoGradGuard off = new NoGradGuard()) {
                assertThatThrownBy(() -> probe.tap("z", torch.randn(6, 4)))
                        .isExactlyInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("gradients are switched off");
            }
            Tensor z = probe.tap("z", torch.randn(6, 4));
            assertThatThrownBy(() -> probe.add(z.relu(), new long[6], null)).isInstanceOf(ArgumentException.class);
            Tensor other = probe.tap("z", torch.randn(6, 4));
            Tensor logits = probe.activation("z", other.relu());
            assertThatThrownBy(() -> probe.add(logits, new long[] {9, 0, 0, 0, 0, 0}, null))
                    .isInstanceOf(InputException.class);
            assertThat(probe.scores().all()).isEmpty();
        }
        assertThatThrownBy(() -> Probe.builder().methods().open()).isInstanceOf(ArgumentException.class);
    }

    @Test
    void whatIsClosedSaysSo() {
        Probe probe = Probe.builder().open();
        probe.close();
        probe.close();
        try (PointerScope scope = new PointerScope()) {
            Tensor z = torch.randn(6, 4);
            assertThatThrownBy(() -> probe.tap("z", z))
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessage("Probe is closed: use it inside its try block");
            assertThatThrownBy(() -> probe.activation("z", z)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> probe.add(z, new long[6], null)).isInstanceOf(IllegalStateException.class);
        }
        assertThatThrownBy(probe::scores).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(probe::layers).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> probe.collect(null, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(probe::discard).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatItReturnsOutlivesIt() {
        try (PointerScope scope = new PointerScope()) {
            Tensor z;
            try (Probe probe = Probe.builder().open()) {
                z = probe.tap("hidden", torch.ones(2, 3));
            }
            assertThat(z.sum().item_float()).isEqualTo(6);
        }
    }
}
