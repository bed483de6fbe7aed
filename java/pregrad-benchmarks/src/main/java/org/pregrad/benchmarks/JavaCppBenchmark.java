package org.pregrad.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.pregrad.Score;

/** The same work as a JVM user writes it on the presets alone, with nothing tuned. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class JavaCppBenchmark {
    private static final long CLUSTERS = 20;

    /** A case of tests/benchmark/cases.tsv. */
    @Param({"mlp-1", "mlp-32", "mlp-1797"})
    public String name;

    private final List<Tensor> sums = new ArrayList<>();
    private JavaCppModel model;
    private boolean removes;
    private float[] inputs;
    private long[] shape;
    private long targets;
    private long[] labels;
    private long[] clusters;

    /** Loads the weights. */
    @Setup
    public void open() {
        BenchmarkCase one = BenchmarkCase.read(name);
        model = new JavaCppModel(one.model(), one.floor(), one.taps());
        removes = one.floor().equals("removal");
        inputs = one.inputs();
        shape = one.shape();
        targets = one.targets()[0].length;
        labels = one.labels();
        clusters = one.clustersOfLabels();
        requireSameWork(one);
    }

    /** Times of other work would say nothing: the sums are PreGrad's. */
    private void requireSameWork(BenchmarkCase one) {
        add();
        try (OpenCase pregrad = new OpenCase(one)) {
            pregrad.array().run();
            List<Score> scores = pregrad.scores().all();
            List<String> layers =
                    scores.stream().map(JavaCppBenchmark::layer).distinct().toList();
            if (layers.size() != sums.size()) {
                throw new IllegalStateException(
                        name + ": JavaCPP has sums of " + sums.size() + " layers, PreGrad of " + layers);
            }
            for (Score score : scores) {
                requireSame(score, sums.get(layers.indexOf(layer(score))));
            }
        }
        sums.clear();
    }

    private static String layer(Score score) {
        return score.layer() + "@" + score.call();
    }

    private void requireSame(Score score, Tensor seen) {
        double[] mean = score.mean();
        double difference = 0;
        double norm = 0;
        for (int neuron = 0; neuron < mean.length; neuron++) {
            double truth = mean[neuron] * score.count();
            double value = seen.select(0, score.cluster()).select(0, neuron).item_double();
            difference += (value - truth) * (value - truth);
            norm += truth * truth;
        }
        if (!(Math.sqrt(difference) <= 1e-3 * Math.sqrt(norm))) {
            throw new IllegalStateException(name + ": JavaCPP's sums differ from PreGrad's in " + score);
        }
    }

    /** Forward, backward (or a forward without each neuron), and the sums per cluster in float64. */
    @SuppressWarnings("try") // the scope frees what is made inside it
    @Benchmark
    public List<Tensor> add() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = torch.from_blob(new FloatPointer(inputs), shape);
            if (targets > 1) {
                x = x.repeat_interleave(targets, new LongOptional(0), new LongOptional());
            }
            Tensor y = longs(labels).unsqueeze(1);
            Tensor cluster = longs(clusters);
            List<Tensor> found = removes ? List.of(falls(x, y)) : gradients(x, y);
            for (int layer = 0; layer < found.size(); layer++) {
                Tensor values = found.get(layer);
                if (layer == sums.size()) {
                    TensorOptions doubles = new TensorOptions(torch.ScalarType.Double);
                    sums.add(torch.zeros(new long[] {CLUSTERS, values.size(1)}, doubles)
                            .retainReference());
                }
                sums.get(layer).index_add_(0, cluster, values.to(torch.ScalarType.Double));
            }
            return sums;
        }
    }

    private static Tensor longs(long[] values) {
        TensorOptions options = new TensorOptions(torch.ScalarType.Long);
        return torch.from_blob(new LongPointer(values), new long[] {values.length}, options);
    }

    private List<Tensor> gradients(Tensor x, Tensor y) {
        model.forward(x).gather(1, y).sum().backward();
        return model.tapped().stream().map(z -> perNeuron(z.grad())).toList();
    }

    private static Tensor perNeuron(Tensor gradient) {
        return switch ((int) gradient.dim()) {
            case 4 -> gradient.sum(2, 3);
            case 3 -> gradient.sum(1);
            default -> gradient;
        };
    }

    /** By how much each neuron's removal lowers each sample's output. */
    @SuppressWarnings("try") // the scope frees what is made inside it
    private Tensor falls(Tensor x, Tensor y) {
        try (NoGradGuard guard = new NoGradGuard()) {
            Tensor whole = model.forward(x).gather(1, y).squeeze(1);
            long neurons = model.tapped().get(0).size(1);
            Tensor falls = torch.empty(x.size(0), neurons);
            for (int neuron = 0; neuron < neurons; neuron++) {
                try (PointerScope scope = new PointerScope()) {
                    Tensor left = model.forwardWithout(neuron, x).gather(1, y).squeeze(1);
                    falls.select(1, neuron).copy_(whole.sub(left));
                }
            }
            return falls;
        }
    }
}
