package org.pregrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A model of {@code tests/fixtures/families}, with what eager PyTorch says of it.
 *
 * @param name of its files
 * @param told the options of its commands, its layers and their scores
 */
record Family(String name, JsonNode told) {
    private static final String ENDING = ".json";
    private static final int KEY = 4;
    private static final int COUNT = 5;
    private static final int MEAN = 6;

    /** Of a mean that cancels almost wholly only rounding is left: it counts as this share of its samples' size. */
    private static final double LEAST_SHARE = 1e-3;

    static Stream<Family> all() {
        try (Stream<Path> files = Files.list(Fixtures.path("families"))) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(ENDING))
                    .sorted()
                    .map(file -> of(file.substring(0, file.length() - ENDING.length())))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Family of(String name) {
        try {
            return new Family(
                    name, new ObjectMapper().readTree(file(name + ENDING).toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The model in each form that it was saved in; the first is the exported one where there is one. */
    List<Path> models() {
        return elements(told.get("forms")).map(model -> file(model.textValue())).toList();
    }

    Path data() {
        return file(name + ".npz");
    }

    List<String> options() {
        return elements(told.get("options")).map(JsonNode::textValue).toList();
    }

    double tolerance() {
        return told.get("tolerance").doubleValue();
    }

    /** Neurons of each call of a layer. */
    Map<String, Integer> neurons() {
        Map<String, Integer> neurons = new LinkedHashMap<>();
        elements(told.get("layers"))
                .forEach(layer -> neurons.put(call(layer), layer.get("neurons").intValue()));
        return neurons;
    }

    /** The layers from which a gradient leads to the output that is explained. */
    List<String> reaching() {
        return elements(told.get("layers"))
                .filter(layer -> layer.get("reaches").booleanValue())
                .map(layer -> layer.get("layer").textValue())
                .distinct()
                .toList();
    }

    /** Scores of the first order, of layers that reach the output. */
    List<JsonNode> scores() {
        return elements(told.get("scores"))
                .filter(row -> reaching().contains(row.get("layer").textValue()))
                .toList();
    }

    /** Scores of one layer by methods that remove neurons or follow a path. */
    List<JsonNode> single() {
        return elements(told.get("single").get("scores")).toList();
    }

    String singleLayer() {
        return call(told.get("single"));
    }

    /** Outputs as the neurons of that layer go, by cluster and the number that is gone. */
    List<JsonNode> curve() {
        return elements(told.get("single").get("curve")).toList();
    }

    static List<String> methods(List<JsonNode> truth) {
        return truth.stream()
                .map(row -> row.get("method").textValue())
                .distinct()
                .toList();
    }

    /** What is wrong with a file of scores, in words; nothing if all of the truth is met and no more is in it. */
    List<String> differences(Path scores, List<JsonNode> truth) {
        Map<String, List<String[]>> written = new LinkedHashMap<>();
        Fixtures.rows(scores).forEach(row -> written.computeIfAbsent(key(row), key -> new ArrayList<>())
                .add(row));
        List<String> differences = new ArrayList<>();
        for (JsonNode row : truth) {
            String key = key(row);
            List<String[]> rows = written.remove(key);
            if (rows == null) {
                differences.add(key + " is missing");
                continue;
            }
            String count = row.get("count").asText();
            if (rows.stream().anyMatch(fields -> !fields[COUNT].equals(count))) {
                differences.add(key + " has other counts than " + count);
            }
            double[] got = rows.stream()
                    .mapToDouble(fields -> Double.parseDouble(fields[MEAN]))
                    .toArray();
            double least = LEAST_SHARE * row.get("scale").doubleValue();
            double error = relativeError(got, doubles(row.get("mean")), least);
            if (!(error <= tolerance())) {
                differences.add(key + " is off by " + error);
            }
        }
        written.keySet().forEach(key -> differences.add(key + " is not in the truth"));
        return differences;
    }

    /** ‖got − truth‖ / max(‖truth‖, least). */
    static double relativeError(double[] got, double[] truth, double least) {
        if (got.length != truth.length) {
            return Double.POSITIVE_INFINITY;
        }
        double error = 0;
        double norm = 0;
        for (int i = 0; i < truth.length; i++) {
            error += Math.pow(got[i] - truth[i], 2);
            norm += truth[i] * truth[i];
        }
        return error == 0 ? 0 : Math.sqrt(error) / Math.max(Math.sqrt(norm), least);
    }

    static String key(JsonNode row) {
        return String.join(
                ",",
                row.get("layer").textValue(),
                row.get("call").asText(),
                row.get("cluster").asText(),
                row.get("method").textValue());
    }

    static String key(String[] row) {
        return String.join(",", Arrays.asList(row).subList(0, KEY));
    }

    @Override
    public String toString() {
        return name;
    }

    private static Path file(String name) {
        return Fixtures.path("families/" + name);
    }

    private static String call(JsonNode layer) {
        return layer.get("layer").textValue() + "@" + layer.get("call").intValue();
    }

    private static double[] doubles(JsonNode numbers) {
        return elements(numbers).mapToDouble(JsonNode::doubleValue).toArray();
    }

    private static Stream<JsonNode> elements(JsonNode parent) {
        return StreamSupport.stream(parent.spliterator(), false);
    }
}
