package org.pregrad.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.pregrad.Attribution;
import org.pregrad.Method;
import org.pregrad.Model;

/** A line of tests/benchmark/cases.tsv with the inputs that models.py wrote for it. */
record BenchmarkCase(
        String name,
        Path model,
        String floor,
        long[] shape,
        List<String> layers,
        int tap,
        float[] inputs,
        long[] labels) {
    /** The case of that name; the system properties say where the list and the files are. */
    static BenchmarkCase read(String name) {
        Path folder = Path.of(System.getProperty("pregrad.benchmark.folder"));
        try {
            for (String line : Files.readAllLines(Path.of(System.getProperty("pregrad.benchmark.cases")))) {
                String[] words = line.split("\t", -1);
                if (words[0].equals(name)) {
                    return of(words, folder);
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
        long[] labels = new long[(int) shape[0]];
        bytes(folder.resolve(words[0] + ".y")).asLongBuffer().get(labels);
        List<String> layers = words[6].equals("*") ? List.of() : List.of(words[6].split(",", -1));
        int tap = layers.size() == 1 ? Integer.parseInt(words[7]) : -1;
        return new BenchmarkCase(words[0], folder.resolve(words[1]), words[2], shape, layers, tap, inputs, labels);
    }

    private static ByteBuffer bytes(Path file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }

    long[] clusters() {
        return name.equals("targets-20")
                ? labels.clone()
                : Arrays.stream(labels).map(label -> label % 10).toArray();
    }

    FloatBuffer directInputs() {
        FloatBuffer buffer = ByteBuffer.allocateDirect(inputs.length * Float.BYTES)
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
