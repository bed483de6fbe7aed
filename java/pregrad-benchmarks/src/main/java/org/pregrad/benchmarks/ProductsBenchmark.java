package org.pregrad.benchmarks;

import static org.bytedeco.pytorch.global.torch.mm_out;
import static org.bytedeco.pytorch.global.torch.randn;

import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.pregrad.PreGrad;

/**
 * The matrix products of the case mlp-1797 alone, without anything between them: from inputs to outputs, and from the
 * gradient of the outputs to the first hidden layer. Nobody can leave them out.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ProductsBenchmark {
    private static final long SAMPLES = 1797;
    private static final long[] WIDTHS = {64, 128, 64, 10};

    private final int layers = WIDTHS.length - 1;
    private final Tensor[] values = new Tensor[WIDTHS.length];
    private final Tensor[] gradients = new Tensor[WIDTHS.length];
    private final Tensor[] weights = new Tensor[layers];
    private final Tensor[] transposed = new Tensor[layers];

    /** Makes room for all results, so that only products are timed. */
    @Setup
    public void open() {
        PreGrad.libraryInfo(); // lets OpenBLAS run on LibTorch's threads, as in every other case
        for (int i = 0; i < WIDTHS.length; i++) {
            values[i] = randn(SAMPLES, WIDTHS[i]);
            gradients[i] = randn(SAMPLES, WIDTHS[i]);
        }
        for (int i = 0; i < layers; i++) {
            weights[i] = randn(WIDTHS[i + 1], WIDTHS[i]);
            transposed[i] = weights[i].t();
        }
    }

    /** As many as a batch takes. */
    @Benchmark
    public Tensor products() {
        for (int i = 0; i < layers; i++) {
            mm_out(values[i + 1], values[i], transposed[i]);
        }
        for (int i = layers - 1; i > 0; i--) {
            mm_out(gradients[i], gradients[i + 1], weights[i]);
        }
        return gradients[1];
    }
}
