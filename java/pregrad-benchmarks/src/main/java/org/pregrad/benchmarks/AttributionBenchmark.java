package org.pregrad.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Model;

/** One batch into an open attribution, from an array and from a direct buffer. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AttributionBenchmark {
    private static final int THREADS = 16;

    /** A case of tests/benchmark/cases.tsv. */
    @Param({"mlp-1", "mlp-32", "mlp-1797"})
    public String name;

    private Model model;
    private Attribution attribution;
    private Runnable array;
    private Runnable direct;

    /** Opens the attribution of the case. */
    @Setup
    public void open() {
        BenchmarkCase one = BenchmarkCase.read(name);
        model = Model.load(one.model());
        attribution = one.open(model);
        array = one.adder(attribution, Input.of(one.inputs(), one.shape()));
        direct = one.adder(attribution, Input.of(one.directInputs(), one.shape()));
    }

    /** Closes it. */
    @TearDown
    public void close() {
        attribution.close();
        model.close();
    }

    /** From a {@code float[]}. */
    @Benchmark
    public void array() {
        array.run();
    }

    /** From 16 threads at once: a thread's average time holds that of the 15 others, so a call counts as 16. */
    @Benchmark
    @Threads(THREADS)
    @OperationsPerInvocation(THREADS)
    public void threads() {
        array.run();
    }

    /** From a direct buffer. */
    @Benchmark
    public void direct() {
        direct.run();
    }
}
