package org.pregrad;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** A snapshot of what an {@link Attribution} or a {@link Probe} has accumulated. A plain value. */
public final class Scores {
    /** One call of a layer. */
    record Call(String layer, long call) {
        @Override
        public String toString() {
            return layer + "@" + call;
        }
    }

    private final List<Score> entries;
    /** What a requested name stands for. */
    private final Map<String, List<Call>> names;

    Scores(List<Score> entries, Map<String, List<Call>> names) {
        this.entries = List.copyOf(entries);
        this.names = Map.copyOf(names);
    }

    /** {@return all scores, ordered by layer (execution order), call, cluster, method} */
    public List<Score> all() {
        return entries;
    }

    /**
     * {@return the scores of one layer call in one cluster}
     *
     * @param layer {@code name}, {@code name@call}, or another name that was asked for
     * @param cluster the cluster
     * @param method the method
     * @throws LayerException if the name fits no score, or several calls
     * @throws ArgumentException if the method or the cluster was not computed
     */
    public Score of(String layer, long cluster, Method method) {
        Call call = resolve(layer);
        List<Score> ofCall = entries.stream().filter(score -> call.equals(call(score))).toList();
        return ofCall.stream()
                .filter(score -> score.cluster() == cluster && score.method() == method)
                .findFirst()
                .orElseThrow(() -> missing(ofCall, cluster, method));
    }

    private Call resolve(String layer) {
        Set<Call> computed = entries.stream().map(Scores::call).collect(Collectors.toCollection(LinkedHashSet::new));
        List<Call> fitting = computed.stream()
                .filter(call -> call.layer().equals(layer) || call.toString().equals(layer))
                .toList();
        if (fitting.isEmpty()) {
            fitting = names.getOrDefault(layer, List.of()).stream().filter(computed::contains).toList();
        }
        if (fitting.isEmpty()) {
            throw new LayerException("no scores of layer '" + layer + "': use one of " + list(computed));
        }
        if (fitting.size() > 1) {
            throw new LayerException("layer '" + layer + "' stands for several calls: use one of " + list(fitting));
        }
        return fitting.get(0);
    }

    private static Call call(Score score) {
        return new Call(score.layer(), score.call());
    }

    private static ArgumentException missing(List<Score> ofCall, long cluster, Method method) {
        Set<Long> clusters = ofCall.stream().map(Score::cluster).collect(Collectors.toCollection(LinkedHashSet::new));
        if (!clusters.contains(cluster)) {
            return new ArgumentException("no samples of cluster " + cluster + " were added: use one of " + list(clusters));
        }
        return new ArgumentException("method " + method.id() + " was not asked for: use one of "
                + list(ofCall.stream().map(score -> score.method().id()).collect(Collectors.toCollection(LinkedHashSet::new))));
    }

    private static String list(Iterable<?> values) {
        StringBuilder text = new StringBuilder();
        for (Object value : values) {
            text.append(text.isEmpty() ? "" : ", ").append(value);
        }
        return text.isEmpty() ? "(nothing was added yet)" : text.toString();
    }
}
