package org.pregrad.cli.report;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

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

    void add(long cluster, String method, Columns columns) {
        methods.add(method);
        clusters.computeIfAbsent(cluster, key -> new LinkedHashMap<>()).put(method, columns);
    }
}
