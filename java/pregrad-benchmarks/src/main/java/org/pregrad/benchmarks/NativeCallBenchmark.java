package org.pregrad.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.pregrad.PreGrad;
import org.pregrad.internal.Native;

/** What a call into the library costs by itself. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class NativeCallBenchmark {
    /** Loads the library. */
    @Setup
    public void load() {
        PreGrad.libraryInfo();
    }

    /** The cheapest native method: it counts handles. */
    @Benchmark
    public long call() {
        return Native.liveHandles();
    }
}
