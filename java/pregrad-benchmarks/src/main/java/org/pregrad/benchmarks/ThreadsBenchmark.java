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

/** Single samples from 16 threads into one attribution: microseconds per sample of all threads together. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ThreadsBenchmark {
    private static final int THREADS = 16;

    /** A case of tests/benchmark/cases.tsv. */
    @Param("mlp-1")
    public String name;

    private Model model;
    private Attribution attribution;
    private Runnable add;

    /** Opens the attribution that all threads share. */
    @Setup
    public void open() {
        BenchmarkCase one = BenchmarkCase.read(name);
        model = Model.load(one.model());
        attribution = one.open(model);
        add = one.adder(attribution, Input.of(one.inputs(), one.shape()));
    }

    /** Closes it. */
    @TearDown
    public void close() {
        attribution.close();
        model.close();
    }

    /** A thread's average time holds that of the 15 others, so a call counts as 16. */
    @Benchmark
    @Threads(THREADS)
    @OperationsPerInvocation(THREADS)
    public void add() {
        add.run();
    }
}
