package org.pregrad.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Method;
import org.pregrad.Model;

/** A line of tests/benchmark/cases.tsv with the inputs that models.py wrote for it. */
record BenchmarkCase(
        String name,
        Path model,
        String floor,
        long[] shape,
        List<String> layers,
        List<Integer> taps,
        float[] inputs,
        long[][] targets) {
    /** Bytes. A direct buffer begins at one, as a tensor does: LibTorch multiplies more slowly from where Java lets it begin. */
    private static final int CACHE_LINE = 64;

    /** tests/benchmark/cases.tsv. */
    static Path list() {
        return Path.of(System.getProperty("pregrad.benchmark.cases"));
    }

    /** Where tests/benchmark/models.py wrote models and inputs. */
    static Path folder() {
        return Path.of(System.getProperty("pregrad.benchmark.folder"));
    }

    /** The case of that name. */
    static BenchmarkCase read(String name) {
        try {
            for (String line : Files.readAllLines(list())) {
                String[] words = line.split("\t", -1);
                if (words[0].equals(name)) {
                    return of(words, folder());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalArgumentException("there is no case " + name);
    }

    private static BenchmarkCase of(String[] words, Path folder) throws IOException {
        long[] shape = Arrays.stream((words[3] + "," + words[4]).split(",", -1))
                .mapToLong(Long::parseLong)
                .toArray();
        FloatBuffer numbers = bytes(folder.resolve(words[0] + ".x")).asFloatBuffer();
        float[] inputs = new float[numbers.remaining()];
        numbers.get(inputs);
        LongBuffer labels = bytes(folder.resolve(words[0] + ".y")).asLongBuffer();
        long[][] targets = new long[(int) shape[0]][Integer.parseInt(words[5])];
        for (long[] row : targets) {
            labels.get(row);
        }
        List<String> layers = words[7].equals("*") ? List.of() : List.of(words[7].split(",", -1));
        List<Integer> taps = layers.isEmpty()
                ? List.of()
                : Arrays.stream(words[8].split(",", -1)).map(Integer::valueOf).toList();
        return new BenchmarkCase(words[0], folder.resolve(words[1]), words[2], shape, layers, taps, inputs, targets);
    }

    private static ByteBuffer bytes(Path file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The targets of all samples, one sample after the other. */
    long[] labels() {
        return Arrays.stream(targets).flatMapToLong(Arrays::stream).toArray();
    }

    /** Those of {@link #labels}. */
    long[] clustersOfLabels() {
        return Arrays.stream(clusters()).flatMapToLong(Arrays::stream).toArray();
    }

    long[][] clusters() {
        return Arrays.stream(targets)
                .map(row -> Arrays.stream(row).map(target -> target % 10).toArray())
                .toArray(long[][]::new);
    }

    /** What adds the case's batch to an attribution. */
    Runnable adder(Attribution attribution, Input input) {
        if (targets[0].length > 1) {
            long[][] clusters = clusters();
            return () -> attribution.addTargets(input, targets, clusters);
        }
        long[] labels = labels();
        long[] clusters = clustersOfLabels();
        return () -> attribution.add(input, labels, clusters);
    }

    FloatBuffer directInputs() {
        FloatBuffer buffer = ByteBuffer.allocateDirect(inputs.length * Float.BYTES + 2 * CACHE_LINE)
                .alignedSlice(CACHE_LINE)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        return buffer.put(inputs).flip();
    }

    Attribution open(Model loaded) {
        String[] names = layers.isEmpty()
                ? loaded.layers(shape).stream()
                        .map(layer -> layer.name() + "@" + layer.call())
                        .toArray(String[]::new)
                : layers.toArray(String[]::new);
        return loaded.attribution()
                .layers(names)
                .methods(floor.equals("removal") ? Method.ABLATION : Method.GRADIENT)
                .open();
    }
}
