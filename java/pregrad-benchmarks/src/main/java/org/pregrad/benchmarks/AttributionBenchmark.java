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

/** One batch into an open attribution, from a {@code float[]}. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AttributionBenchmark {
    private static final int THREADS = 16;

    /** A case of tests/benchmark/cases.tsv. */
    @Param({"mlp-1", "mlp-32", "mlp-1797"})
    public String name;

    private OpenCase one;
    private Runnable array;

    /** Opens the attribution of the case. */
    @Setup
    public void open() {
        one = new OpenCase(BenchmarkCase.read(name));
        array = one.array();
    }

    /** Closes it. */
    @TearDown
    public void close() {
        one.close();
    }

    /** From one thread. */
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
}
