package org.pregrad.cli.report;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pregrad.Aggregate;

/** All scores of one call of a layer. */
final class LayerScores {
    /**
     * The scores of one method for one cluster.
     *
     * @param count  samples
     * @param values by aggregate, one number per neuron, in the order of the file's columns
     */
    record Columns(long count, Map<String, double[]> values) {}

    private final LayerCall layer;
    private final int neurons;
    private final Map<Long, Map<String, Columns>> clusters = new LinkedHashMap<>();
    private final Set<String> methods = new LinkedHashSet<>();
    /** By cluster and method, how many samples all positions so far have; none without positions. */
    private final Map<List<Object>, Long> weights = new HashMap<>();

    LayerScores(LayerCall layer, int neurons) {
        this.layer = layer;
        this.neurons = neurons;
    }

    LayerCall layer() {
        return layer;
    }

    int neurons() {
        return neurons;
    }

    List<Long> clusters() {
        return List.copyOf(clusters.keySet());
    }

    List<String> methods() {
        return List.copyOf(methods);
    }

    /** Null if this cluster has no scores of this method. */
    Columns of(long cluster, String method) {
        return clusters.getOrDefault(cluster, Map.of()).get(method);
    }

    /** Samples of the cluster. */
    long count(long cluster) {
        return clusters.get(cluster).values().iterator().next().count();
    }

    /** Whether single positions had scores of their own. */
    boolean hasPositions() {
        return !weights.isEmpty();
    }

    /**
     * Adds the scores at one more position. What is shown of a neuron is its mean over the positions, each weighed with the
     * samples for which it counts; its cancellation is that of these means.
     */
    void addPosition(long cluster, String method, Columns columns) {
        long weight = weights.merge(List.of(cluster, method), columns.count(), Long::sum);
        Columns before = of(cluster, method);
        if (before == null) {
            add(cluster, method, columns);
            return;
        }
        double share = (double) columns.count() / weight;
        before.values().forEach((aggregate, means) -> {
            double[] values = columns.values().get(aggregate);
            for (int neuron = 0; neuron < means.length; neuron++) {
                means[neuron] += share * (values[neuron] - means[neuron]);
            }
        });
        before.values()
                .put(
                        ScoresReader.CANCELLATION,
                        ScoresReader.cancellation(
                                before.values().get(Aggregate.MEAN.id()),
                                before.values().get(Aggregate.MEAN_ABS.id())));
        add(cluster, method, new Columns(Math.max(before.count(), columns.count()), before.values()));
    }

    void add(long cluster, String method, Columns columns) {
        methods.add(method);
        clusters.computeIfAbsent(cluster, key -> new LinkedHashMap<>()).put(method, columns);
    }
}
