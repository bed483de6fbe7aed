package org.pregrad.cli.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Files such as a run leaves, of invented numbers: each neuron belongs to one cluster, and each method finds that out
 * more or less well.
 */
public final class SampleRun {
    static final String SCORES_HEADER = "layer,call,cluster,method,neuron,count,mean,mean_abs,rms,std,cancellation";
    static final String CURVES_HEADER =
            "layer,call,cluster,method,aggregate,repeat,removed,accuracy,mean_output,cross_entropy,outside_accuracy";

    private static final int REPEATS = 20;
    private static final Map<String, Double> QUALITY = quality();

    private final Random random = new Random(3);
    private final Map<String, Integer> layers;
    private final int clusters;
    private final List<String> methods;
    private final List<String> areas = new ArrayList<>();
    private final List<String> scoreEntries = new ArrayList<>();

    /** @param layers neurons by name */
    public SampleRun(Map<String, Integer> layers, int clusters) {
        this.layers = layers;
        this.clusters = clusters;
        this.methods = List.copyOf(QUALITY.keySet());
    }

    /** Two layers of a classifier of ten classes. */
    public static SampleRun digits() {
        Map<String, Integer> layers = new LinkedHashMap<>();
        layers.put("relu1", 128);
        layers.put("relu2", 64);
        return new SampleRun(layers, 10);
    }

    /** Writes what {@code ablate} does. */
    public Path writeAblation(Path directory) throws IOException {
        writeScores(directory);
        Files.writeString(directory.resolve("curves.csv"), curves());
        writeSummary(directory, true);
        return directory;
    }

    /** Writes what {@code attribute} does. */
    public Path writeAttribution(Path directory) throws IOException {
        writeScores(directory);
        writeSummary(directory, false);
        return directory;
    }

    private static Map<String, Double> quality() {
        Map<String, Double> quality = new LinkedHashMap<>();
        quality.put("gradient", 0.1);
        quality.put("gradient-x-preactivation", 0.35);
        quality.put("gradient-x-activation", 0.7);
        quality.put("preactivation", 0.3);
        quality.put("activation", 0.5);
        quality.put("gradient-x-centred-activation", 0.75);
        quality.put("integrated-gradients", 0.85);
        quality.put("conductance", 0.8);
        return quality;
    }

    private void writeScores(Path directory) throws IOException {
        StringBuilder text = new StringBuilder(SCORES_HEADER).append('\n');
        layers.forEach((layer, neurons) -> {
            for (int cluster = 0; cluster < clusters; cluster++) {
                for (String method : methods) {
                    scores(text, layer, neurons, cluster, method);
                    boolean path = method.equals("integrated-gradients") || method.equals("conductance");
                    scoreEntries.add(("{\"layer\": %s, \"call\": 0, \"cluster\": %d, \"method\": \"%s\", \"count\": %d,"
                                    + " \"neurons\": %d, \"completeness_error\": %s}")
                            .formatted(
                                    json(layer), cluster, method, count(cluster), neurons, path ? "0.00042" : "null"));
                }
            }
        });
        Files.writeString(directory.resolve("scores.csv"), text);
    }

    private void scores(StringBuilder text, String layer, int neurons, int cluster, String method) {
        double quality = QUALITY.get(method);
        for (int neuron = 0; neuron < neurons; neuron++) {
            double signal = neuron % clusters == cluster ? 1.5 : 0;
            double mean = quality * signal + 0.3 * random.nextGaussian();
            double meanAbs = Math.abs(mean) + (1 - quality) * random.nextDouble();
            double rms = meanAbs * (1 + 0.3 * random.nextDouble());
            text.append("%s,0,%d,%s,%d,%d,%s,%s,%s,%s,%s\n"
                    .formatted(
                            csv(layer),
                            cluster,
                            method,
                            neuron,
                            count(cluster),
                            mean,
                            meanAbs,
                            rms,
                            Math.sqrt(rms * rms - mean * mean),
                            Math.abs(mean) / meanAbs));
        }
    }

    private int count(int cluster) {
        return 100 + 7 * cluster;
    }

    private String curves() {
        StringBuilder text = new StringBuilder(CURVES_HEADER).append('\n');
        layers.forEach((layer, neurons) -> {
            for (int cluster = 0; cluster < clusters; cluster++) {
                double[] randomAreas = new double[REPEATS];
                for (int repeat = 0; repeat < REPEATS; repeat++) {
                    randomAreas[repeat] = curve(
                            text,
                            layer,
                            neurons,
                            cluster,
                            "random",
                            "mean",
                            repeat,
                            0.62 + 0.06 * random.nextGaussian());
                }
                double mean = average(randomAreas);
                double std = Math.sqrt(average(java.util.Arrays.stream(randomAreas)
                        .map(x -> (x - mean) * (x - mean))
                        .toArray()));
                area(layer, cluster, "random", "mean", mean, mean, std, 0.01);
                for (String method : methods) {
                    for (String aggregate : List.of("mean", "mean_abs")) {
                        double quality = QUALITY.get(method) + (aggregate.equals("mean") ? 0 : 0.08);
                        double half = 0.65 - 0.5 * quality + 0.03 * random.nextGaussian();
                        double area = curve(text, layer, neurons, cluster, method, aggregate, 0, half);
                        area(layer, cluster, method, aggregate, area, mean, std, quality);
                    }
                }
                double oracle = curve(text, layer, neurons, cluster, "ablation", "mean", 0, 0.12);
                area(layer, cluster, "ablation", "mean", oracle, mean, std, 1);
            }
        });
        return text.toString();
    }

    /** Falls to half its height where this share is removed; returns the area under it. */
    private double curve(
            StringBuilder text,
            String layer,
            int neurons,
            int cluster,
            String method,
            String aggregate,
            int repeat,
            double half) {
        double area = 0;
        double before = 0;
        for (int removed = 0; removed <= neurons; removed++) {
            double share = (double) removed / neurons;
            double kept = 1 / (1 + Math.exp((share - half) * 12)) * (1 + Math.exp(-half * 12));
            double accuracy = Math.max(0, Math.min(1, 0.97 * kept + 0.006 * random.nextGaussian()));
            text.append("%s,0,%d,%s,%s,%d,%d,%s,%s,%s,%s\n"
                    .formatted(
                            csv(layer),
                            cluster,
                            method,
                            aggregate,
                            repeat,
                            removed,
                            accuracy,
                            -2 + 14 * kept,
                            0.1 + 3 * (1 - kept),
                            clusters == 1 ? "" : Double.toString(0.5 + 0.4 * (1 - share * share))));
            area += removed == 0 ? 0 : (accuracy + before) / 2 / neurons;
            before = accuracy;
        }
        return area;
    }

    private void area(
            String layer,
            int cluster,
            String method,
            String aggregate,
            double area,
            double randomArea,
            double randomStd,
            double correlation) {
        areas.add(String.format(
                Locale.ROOT,
                "{\"layer\": %s, \"call\": 0, \"cluster\": %d, \"method\": \"%s\", \"aggregate\": \"%s\", \"area\": %s,"
                        + " \"random_area\": %s, \"random_area_std\": %s, \"rank_correlation\": %s}",
                json(layer),
                cluster,
                method,
                aggregate,
                area,
                randomArea,
                randomStd,
                correlation));
    }

    private static double average(double[] values) {
        return java.util.Arrays.stream(values).average().orElseThrow();
    }

    private void writeSummary(Path directory, boolean withCurves) throws IOException {
        String command = withCurves ? "ablate" : "attribute";
        String file = "{\"file\": \"%s\", \"bytes\": 1234, \"sha256\": \"" + "0123456789abcdef".repeat(4) + "\"}";
        Files.writeString(directory.resolve("summary.json"), """
                {
                "versions": {"pregrad": "0.1.0", "libtorch": "2.13.0", "java": "17.0.12"},
                "command": %s,
                "arguments": ["%s"],
                "options": {"layers": [%s], "methods": [%s], "target": "label", "output": "logit", "labels": null,
                  "aggregates": ["mean", "mean_abs"],
                  "removal": "zero", "seed": 20240607, "batch_size": 256},
                "model": %s,
                "data": %s,
                "samples": 1797,
                "scores": [%s]%s
                }
                """.formatted(
                        json("pregrad " + command + " --model mlp.pt --data digits.npz --layer "
                                + layers.keySet().stream().collect(Collectors.joining(" "))
                                + " --method " + String.join(",", methods) + " --seed 20240607 --out results"),
                        command,
                        layers.keySet().stream().map(SampleRun::json).collect(Collectors.joining(", ")),
                        methods.stream().map(SampleRun::json).collect(Collectors.joining(", ")),
                        file.formatted("mlp.pt"),
                        file.formatted("digits.npz"),
                        String.join(",\n", scoreEntries),
                        withCurves ? ",\n\"score_data\": null,\n\"curves\": [" + String.join(",\n", areas) + "]" : ""));
    }

    private static String csv(String field) {
        return '"' + field.replace("\"", "\"\"") + '"';
    }

    private static String json(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** Writes the sample of the digits into a directory. */
    public static void main(String[] arguments) throws IOException {
        digits().writeAblation(Files.createDirectories(Path.of(arguments[0])));
    }
}
