package org.pregrad;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A model of tests/fixtures/several with its arrays, and what eager PyTorch gives for it. */
record Several(String name, List<String> inputNames) {
    static final Several TWO_INPUTS = new Several("two-inputs", List.of("x", "side"));
    static final Several TAGGER = new Several("tagger", List.of("tokens", "attention_mask"));
    static final Several BERT = new Several("bert", List.of("input_ids", "attention_mask"));

    /** The values of one layer, cluster and method in a variant, per aggregate and neuron. */
    record Truth(String variant, String layer, long cluster, Method method, long count, double[][] values) {}

    /** The points of the curve that removes a layer's neurons in their order. */
    record Curve(String layer, double[] accuracy, double[] meanOutput) {}

    Model load(String form) {
        return Model.load(Fixtures.file("several/" + name + "." + form));
    }

    Model load() {
        return load("exported.pt2");
    }

    Input input(String array) {
        Npz.Array read = Npz.read(Fixtures.file("several/" + name + ".npz"), array);
        if (read.values() instanceof float[] floats) {
            return Input.of(floats, read.shape());
        }
        return Input.of((long[]) read.values(), read.shape());
    }

    long[] longs(String array) {
        return (long[])
                Npz.read(Fixtures.file("several/" + name + ".npz"), array).values();
    }

    float[] floats(String array) {
        return (float[])
                Npz.read(Fixtures.file("several/" + name + ".npz"), array).values();
    }

    Inputs inputs() {
        return Inputs.of(inputNames.get(0), input(inputNames.get(0))).and(inputNames.get(1), input(inputNames.get(1)));
    }

    List<Truth> truths() {
        List<Truth> truths = new ArrayList<>();
        for (List<String[]> rows : groups("golden/several.csv", 6)) {
            String[] first = rows.get(0);
            truths.add(new Truth(
                    first[1],
                    first[2] + "@" + first[3],
                    Long.parseLong(first[4]),
                    Method.of(first[5]),
                    Long.parseLong(first[7]),
                    new double[][] {column(rows, 8), column(rows, 9), column(rows, 10), column(rows, 11)}));
        }
        return truths;
    }

    List<Curve> curves() {
        return groups("golden/several-curves.csv", 3).stream()
                .map(rows -> new Curve(rows.get(0)[1], column(rows, 4), column(rows, 5)))
                .toList();
    }

    /** All outputs by name, each flat. */
    Map<String, double[]> outputs() {
        Map<String, double[]> outputs = new LinkedHashMap<>();
        for (List<String[]> rows : groups("golden/several-outputs.csv", 2)) {
            outputs.put(rows.get(0)[1], column(rows, 3));
        }
        return outputs;
    }

    private static double[] column(List<String[]> rows, int column) {
        return rows.stream().mapToDouble(row -> Double.parseDouble(row[column])).toArray();
    }

    /** The rows of this model that agree in the first columns. */
    private List<List<String[]>> groups(String file, int columns) {
        Map<List<String>, List<String[]>> groups = new LinkedHashMap<>();
        try (Stream<String> lines = Files.lines(Fixtures.file(file))) {
            lines.map(line -> line.split(",", -1))
                    .filter(row -> row[0].equals(name))
                    .forEach(row -> groups.computeIfAbsent(List.of(row).subList(0, columns), key -> new ArrayList<>())
                            .add(row));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": " + e, e);
        }
        return List.copyOf(groups.values());
    }

    @Override
    public String toString() {
        return name;
    }
}
