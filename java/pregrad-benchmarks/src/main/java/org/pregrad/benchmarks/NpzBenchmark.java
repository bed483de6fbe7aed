package org.pregrad.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayReader;

/** 64 MiB of a stored array: read in pieces of a batch, and the same bytes copied in memory. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class NpzBenchmark {
    private static final int BYTES = 65536 * 256 * Float.BYTES;
    private static final int PIECE = 256 * 256;

    private final Path file = BenchmarkCase.folder().resolve("large.npz");
    private final ByteBuffer source = ByteBuffer.allocateDirect(BYTES);
    private final ByteBuffer target = ByteBuffer.allocateDirect(BYTES);

    /** Every element handed out, and the check sum with it. */
    @Benchmark
    public long read() throws IOException {
        long sum = 0;
        try (ArrayFile data = ArrayFile.open(file);
                ArrayReader reader = data.open("x")) {
            for (int left = BYTES / Float.BYTES; left > 0; left -= PIECE) {
                sum += reader.next(Math.min(PIECE, left)).get(0);
            }
        }
        return sum;
    }

    /** The yardstick. */
    @Benchmark
    public ByteBuffer copy() {
        return target.clear().put(source.clear());
    }
}
