package org.pregrad.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.pregrad.PreGrad;

/**
 * What Java adds to C++: both in one process, in turns. Two processes would differ by more than the border costs, by where
 * their memory and code lie and by what the machine does meanwhile.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class BesideCppBenchmark {
    /** Long beside what it costs to bring the memory of another way back into the processor's caches. */
    private static final long TURN_NANOS = 50_000_000;

    /** So many calls the JVM compiles fully. */
    private static final int COMPILED_CALLS = 20_000;

    /** A case of tests/benchmark/cases.tsv. */
    @Param({"mlp-1", "mlp-32", "mlp-1797"})
    public String name;

    /** What is opened second lies elsewhere in memory, which alone makes 2% of a case like vit-32. */
    @Param({"false", "true"})
    public boolean cppFirst;

    private OpenCase java;
    private Runnable array;
    private Runnable direct;
    private CppLoop cpp;
    private float[] inputs;
    private int calls;

    /** Opens the case in both languages, and finds how many calls make a turn. */
    @Setup
    public void open() {
        PreGrad.libraryInfo(); // C++'s loop takes the library that Java has loaded
        if (cppFirst) {
            openCpp();
            openJava();
        } else {
            openJava();
            openCpp();
        }
        calls = 1;
        while (nanos(() -> cpp.add(calls)) < TURN_NANOS) {
            calls *= 2;
        }
    }

    private void openCpp() {
        cpp = new CppLoop(name);
        cpp.add(1);
    }

    private void openJava() {
        BenchmarkCase one = BenchmarkCase.read(name);
        compileJava(one);
        inputs = one.inputs();
        java = new OpenCase(one);
        array = java.array();
        direct = java.direct();
        array.run();
    }

    /**
     * Lets the JVM compile what lies between the user and the library, as it has in a service that runs for minutes: a large
     * batch goes that way a hundred times in a benchmark, which is too seldom.
     */
    private static void compileJava(BenchmarkCase one) {
        String small = one.targets()[0].length > 1 ? "targets-20-mlp" : "mlp-1";
        try (OpenCase opened = new OpenCase(BenchmarkCase.read(small))) {
            Runnable array = opened.array();
            Runnable direct = opened.direct();
            for (int call = 0; call < COMPILED_CALLS; call++) {
                array.run();
                direct.run();
            }
        }
    }

    /** Closes it. */
    @TearDown
    public void close() {
        cpp.close();
        java.close();
    }

    /** Microseconds of a call in an iteration, by the way that it went. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Microseconds {
        private long calls;
        private long arrayNanos;
        private long directNanos;
        private long cppNanos;
        private long copyingCppNanos;
        private long jniCopyingCppNanos;

        /** Begins anew. */
        @Setup(Level.Iteration)
        public void reset() {
            calls = 0;
            arrayNanos = 0;
            directNanos = 0;
            cppNanos = 0;
            copyingCppNanos = 0;
            jniCopyingCppNanos = 0;
        }

        /** Java, from a {@code float[]}. */
        public double array() {
            return mean(arrayNanos);
        }

        /** Java, from a direct buffer. */
        public double direct() {
            return mean(directNanos);
        }

        /** C++, from a tensor. */
        public double cpp() {
            return mean(cppNanos);
        }

        /** C++, from memory that is first copied into a tensor, as a {@code float[]} has to be. */
        public double copyingCpp() {
            return mean(copyingCppNanos);
        }

        /** C++, from a {@code float[]} that JNI copies into a tensor. */
        public double jniCopyingCpp() {
            return mean(jniCopyingCppNanos);
        }

        private double mean(long nanos) {
            return nanos / 1e3 / calls;
        }
    }

    /** Two turns of each, the second in reverse order: what changes meanwhile falls on all alike. */
    @Benchmark
    public void turns(Microseconds times) {
        cpp.copyAndAdd(calls); // else the first turn would wake OpenMP's threads, which sleep between iterations
        times.calls += 2L * calls;
        times.arrayNanos += nanos(() -> repeat(array));
        times.cppNanos += nanos(() -> cpp.add(calls));
        times.directNanos += nanos(() -> repeat(direct));
        times.jniCopyingCppNanos += nanos(() -> cpp.jniCopyAndAdd(inputs, calls));
        times.copyingCppNanos += nanos(() -> cpp.copyAndAdd(2 * calls));
        times.jniCopyingCppNanos += nanos(() -> cpp.jniCopyAndAdd(inputs, calls));
        times.directNanos += nanos(() -> repeat(direct));
        times.cppNanos += nanos(() -> cpp.add(calls));
        times.arrayNanos += nanos(() -> repeat(array));
    }

    private void repeat(Runnable add) {
        for (int i = 0; i < calls; i++) {
            add.run();
        }
    }

    private static long nanos(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return System.nanoTime() - begin;
    }
}
