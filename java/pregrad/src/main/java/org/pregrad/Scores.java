package org.pregrad;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** A snapshot of what an {@link Attribution} or a {@link Probe} has accumulated. A plain value. */
public final class Scores {
    /** How many candidates a message lists at most. */
    private static final int LISTED = 24;

    /** One call of a layer, or with a negative number all of them. */
    record Call(String layer, long call) {
        /** Reads {@code name} or {@code name@call}. */
        static Call parse(String text) {
            int at = text.lastIndexOf('@');
            if (at >= 0 && text.substring(at + 1).matches("\\d{1,18}")) {
                return new Call(text.substring(0, at), Long.parseLong(text.substring(at + 1)));
            }
            return new Call(text, -1);
        }

        boolean fits(Score score) {
            return layer.equals(score.layer()) && (call < 0 || call == score.call());
        }
    }

    private final List<Score> entries;
    /** What the requested names stand for. */
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
        Call named = Call.parse(layer);
        List<Call> aliased = names.getOrDefault(layer, List.of());
        List<Score> fitting = entries.stream()
                .filter(score -> named.fits(score) || aliased.stream().anyMatch(call -> call.fits(score)))
                .toList();
        Collection<String> calls = calls(fitting);
        if (calls.isEmpty()) {
            throw new LayerException("no scores of layer '" + layer + "': there are " + list(calls(entries)));
        }
        if (calls.size() > 1) {
            throw new LayerException("layer '" + layer + "' has several calls: name one of " + list(calls));
        }
        return fitting.stream()
                .filter(score -> score.cluster() == cluster && score.method() == method)
                .findFirst()
                .orElseThrow(() -> new ArgumentException(
                        "no scores of layer '" + calls.iterator().next()
                                + "' for cluster " + cluster + " and method " + method.id()
                                + ": ask for a cluster in the data and a method that was requested"));
    }

    private static Collection<String> calls(List<Score> scores) {
        return scores.stream()
                .map(score -> score.layer() + "@" + score.call())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String list(Collection<String> names) {
        String text = names.stream().limit(LISTED).collect(Collectors.joining(", "));
        int more = names.size() - LISTED;
        return names.isEmpty() ? "none" : more > 0 ? text + " and " + more + " more" : text;
    }
}
