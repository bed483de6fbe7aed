package org.pregrad.cli.report;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Where in the network a cluster is decided: measures of a layer's scores that compare across layers, because each is free
 * of the layer's scale. One number per cluster; NaN where there is none.
 */
final class Overview {
    /**
     * 1 − the cosine between the cluster's scores and the mean of the other clusters' scores, each taken at length 1: 0
     * where the same neurons matter as elsewhere, 1 where others do.
     */
    static final String DISTINCTNESS = "distinctness";
    /** The length of the cluster's scores as a vector, over the root mean square of the clusters' lengths in this layer. */
    static final String SIZE = "size";
    /** The share of all |score| that the strongest tenth of the neurons has. */
    static final String CONCENTRATION = "concentration";
    /** The median of |mean| / mean_abs. */
    static final String AGREEMENT = "agreement";
    /** The area under the removal curve of random orders minus that of this ranking. */
    static final String REMOVAL = "removal";

    private static final double TENTH = 0.1;

    private Overview() {}

    /** @param areas by panel, those of this method and aggregate */
    static Map<String, float[]> of(
            LayerScores layer,
            List<String> clusters,
            String method,
            String aggregate,
            Map<PanelKey, RunSummary.Area> areas) {
        List<LayerScores.Columns> columns =
                clusters.stream().map(cluster -> layer.of(cluster, method)).toList();
        List<float[]> scores = columns.stream()
                .map(column -> column == null ? null : column.values().get(aggregate))
                .toList();
        double[] lengths = scores.stream().mapToDouble(Overview::length).toArray();
        Map<String, float[]> measures = new LinkedHashMap<>();
        if (clusters.size() > 1) {
            measures.put(DISTINCTNESS, distinctness(scores, lengths, layer.neurons()));
            measures.put(SIZE, sizes(lengths));
        }
        measures.put(CONCENTRATION, each(clusters.size(), cluster -> concentration(scores.get(cluster))));
        measures.put(AGREEMENT, each(clusters.size(), cluster -> agreement(columns.get(cluster))));
        if (!areas.isEmpty()) {
            measures.put(REMOVAL, each(clusters.size(), cluster -> {
                RunSummary.Area area = areas.get(new PanelKey(layer.layer(), clusters.get(cluster)));
                return area == null ? Double.NaN : area.randomArea() - area.area();
            }));
        }
        measures.values().removeIf(Overview::isWithoutNumbers);
        return measures;
    }

    private interface Measure {
        double of(int cluster);
    }

    private static float[] each(int clusters, Measure measure) {
        float[] values = new float[clusters];
        for (int cluster = 0; cluster < clusters; cluster++) {
            values[cluster] = (float) measure.of(cluster);
        }
        return values;
    }

    private static boolean isWithoutNumbers(float[] values) {
        for (float value : values) {
            if (!Float.isNaN(value)) {
                return false;
            }
        }
        return true;
    }

    /** NaN without scores. */
    private static double length(float[] scores) {
        if (scores == null) {
            return Double.NaN;
        }
        double sum = 0;
        for (float score : scores) {
            sum += Float.isNaN(score) ? 0 : (double) score * score;
        }
        return Math.sqrt(sum);
    }

    private static float[] distinctness(List<float[]> scores, double[] lengths, int neurons) {
        double[] sum = new double[neurons];
        for (int cluster = 0; cluster < lengths.length; cluster++) {
            if (lengths[cluster] > 0) {
                float[] values = scores.get(cluster);
                for (int neuron = 0; neuron < neurons; neuron++) {
                    sum[neuron] += Float.isNaN(values[neuron]) ? 0 : values[neuron] / lengths[cluster];
                }
            }
        }
        return each(lengths.length, cluster -> {
            float[] values = scores.get(cluster);
            if (!(lengths[cluster] > 0)) {
                return Double.NaN;
            }
            double product = 0;
            double square = 0;
            for (int neuron = 0; neuron < neurons; neuron++) {
                double own = Float.isNaN(values[neuron]) ? 0 : values[neuron] / lengths[cluster];
                double others = sum[neuron] - own;
                product += own * others;
                square += others * others;
            }
            return square > 0 ? Math.max(0, 1 - product / Math.sqrt(square)) : Double.NaN;
        });
    }

    private static float[] sizes(double[] lengths) {
        double square = Arrays.stream(lengths)
                .filter(length -> !Double.isNaN(length))
                .map(length -> length * length)
                .average()
                .orElse(0);
        return each(lengths.length, cluster -> square > 0 ? lengths[cluster] / Math.sqrt(square) : Double.NaN);
    }

    private static double concentration(float[] scores) {
        if (scores == null) {
            return Double.NaN;
        }
        float[] sizes = new float[scores.length];
        double all = 0;
        for (int neuron = 0; neuron < sizes.length; neuron++) {
            sizes[neuron] = Float.isNaN(scores[neuron]) ? 0 : Math.abs(scores[neuron]);
            all += sizes[neuron];
        }
        Arrays.sort(sizes);
        int strongest = (int) Math.ceil(TENTH * sizes.length);
        double sum = 0;
        for (int place = sizes.length - strongest; place < sizes.length; place++) {
            sum += sizes[place];
        }
        return all > 0 ? sum / all : Double.NaN;
    }

    private static double agreement(LayerScores.Columns columns) {
        return columns == null || Objects.isNull(columns.cancellation())
                ? Double.NaN
                : columns.cancellation().quantiles()[2];
    }
}
