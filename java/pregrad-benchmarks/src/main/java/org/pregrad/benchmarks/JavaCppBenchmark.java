package org.pregrad.benchmarks;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
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

    /** A case of tests/benchmark/cases.tsv, of an MLP or a ResNet, with one layer. */
    @Param({"mlp-1", "mlp-32", "mlp-1797"})
    public String name;

    private JavaCppModel model;
    private float[] inputs;
    private long[] shape;
    private long[] labels;
    private long[] clusters;
    private Tensor sums;

    /** Loads the weights. */
    @Setup
    public void open() {
        BenchmarkCase one = BenchmarkCase.read(name);
        model = new JavaCppModel(one.model(), one.floor().equals("resnet"), one.tap());
        inputs = one.inputs();
        shape = one.shape();
        labels = one.labels();
        clusters = Arrays.stream(one.clusters()).mapToLong(row -> row[0]).toArray();
        requireSameWork(one);
    }

    /** Times of other work would say nothing: the sums are PreGrad's. */
    private void requireSameWork(BenchmarkCase one) {
        add();
        try (OpenCase pregrad = new OpenCase(one)) {
            pregrad.array().run();
            for (Score score : pregrad.scores().all()) {
                double[] mean = score.mean();
                double difference = 0;
                double norm = 0;
                for (int neuron = 0; neuron < mean.length; neuron++) {
                    double truth = mean[neuron] * score.count();
                    double seen =
                            sums.select(0, score.cluster()).select(0, neuron).item_double();
                    difference += (seen - truth) * (seen - truth);
                    norm += truth * truth;
                }
                if (!(Math.sqrt(difference) <= 1e-3 * Math.sqrt(norm))) {
                    throw new IllegalStateException(name + ": JavaCPP's sums differ from PreGrad's in " + score);
                }
            }
        }
        sums = null;
    }

    /** Forward, backward, and the sum per cluster in float64. */
    @SuppressWarnings("try") // the scope frees what is made inside it
    @Benchmark
    public Tensor add() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = torch.from_blob(new FloatPointer(inputs), shape);
            TensorOptions longs = new TensorOptions(torch.ScalarType.Long);
            Tensor y = torch.from_blob(new LongPointer(labels), new long[] {labels.length}, longs);
            Tensor cluster = torch.from_blob(new LongPointer(clusters), new long[] {clusters.length}, longs);
            model.forward(x).gather(1, y.unsqueeze(1)).sum().backward();
            Tensor gradient = model.tapped().grad();
            Tensor values = gradient.dim() == 4 ? gradient.sum(2, 3) : gradient;
            if (sums == null) {
                sums = torch.zeros(new long[] {CLUSTERS, values.size(1)}, new TensorOptions(torch.ScalarType.Double))
                        .retainReference();
            }
            sums.index_add_(0, cluster, values.to(torch.ScalarType.Double));
            return sums;
        }
    }
}
