package org.pregrad;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.OptionsWriter;

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

        boolean includes(Call other) {
            return layer.equals(other.layer) && (call < 0 || call == other.call);
        }

        @Override
        public String toString() {
            return layer + "@" + call;
        }
    }

    private record Key(Call call, long cluster, Method method, OptionalLong position) {
        // The JDK's own for records holds the class loader of a component's type until another record comes by.
        @Override
        public int hashCode() {
            return Objects.hash(call, cluster, method, position);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key
                    && call.equals(key.call)
                    && cluster == key.cluster
                    && method == key.method
                    && position.equals(key.position);
        }
    }

    private final List<Score> entries;
    private final Map<Key, Score> index = new HashMap<>();
    private final Set<Call> calls = new LinkedHashSet<>();
    /** What the requested names stand for. */
    private final Map<String, List<Call>> names;

    Scores(List<Score> entries, Map<String, List<Call>> names) {
        this.entries = List.copyOf(entries);
        this.names = Map.copyOf(names);
        for (Score score : entries) {
            Call call = new Call(score.layer(), score.call());
            calls.add(call);
            index.put(new Key(call, score.cluster(), score.method(), score.position()), score);
        }
    }

    /** {@return all scores, ordered by layer (execution order), call, cluster, method, position} */
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
     * @throws ArgumentException if the method or the cluster was not computed, or each position has scores of its own
     */
    public Score of(String layer, long cluster, Method method) {
        return of(layer, cluster, method, OptionalLong.empty());
    }

    /**
     * {@return the scores of one layer call in one cluster at one position, where {@link Positions#EACH} was asked for}
     *
     * @param layer {@code name}, {@code name@call}, or another name that was asked for
     * @param cluster the cluster
     * @param method the method
     * @param position from 0, row-major over the axes of positions
     * @throws LayerException if the name fits no score, or several calls
     * @throws ArgumentException if the method or the cluster was not computed, or the layer has no such position
     */
    public Score of(String layer, long cluster, Method method, long position) {
        return of(layer, cluster, method, OptionalLong.of(position));
    }

    private Score of(String layer, long cluster, Method method, OptionalLong position) {
        Call call = resolve(layer);
        Score score = index.get(new Key(call, cluster, method, position));
        if (score == null) {
            throw new ArgumentException(missing(call, cluster, method, position));
        }
        return score;
    }

    /** Why there are no such scores, in the words of native code. */
    private String missing(Call call, long cluster, Method method, OptionalLong position) {
        String what = "layer '" + call + "' for cluster " + cluster + " and method " + method.id();
        OptionalLong last = entries.stream()
                .filter(score -> call.equals(new Call(score.layer(), score.call()))
                        && score.cluster() == cluster
                        && score.method() == method)
                .mapToLong(score -> score.position().orElse(-1))
                .max();
        if (last.isEmpty()) {
            return "no scores of " + what + ": ask for a cluster in the data and a method that was requested";
        }
        if (last.getAsLong() < 0) {
            return "the scores of " + what + " are those of all positions together: name none";
        }
        return position.isEmpty()
                ? "the scores of " + what + " are those of its positions: name one, up to " + last.getAsLong()
                : "no scores of " + what + " at position " + position.getAsLong()
                        + ": name one that counts for some sample, up to " + last.getAsLong();
    }

    /**
     * {@return the mean activations per layer call over the samples of all clusters, for
     * {@link Attribution.Builder#means} and {@link Ablation.Builder#means}}
     *
     * @throws ArgumentException if {@link Method#ACTIVATION} was not computed, or was at each position
     */
    public List<NeuronConstants> meanActivations() {
        Map<Call, List<Score>> activations = entries.stream()
                .filter(score -> score.method() == Method.ACTIVATION)
                .collect(Collectors.groupingBy(
                        score -> new Call(score.layer(), score.call()), LinkedHashMap::new, Collectors.toList()));
        if (activations.isEmpty()) {
            throw new ArgumentException(
                    "the scores have no mean activations: compute them with the method activation too");
        }
        activations.values().stream()
                .flatMap(List::stream)
                .filter(score -> score.position().isPresent())
                .findFirst()
                .ifPresent(score -> {
                    throw new ArgumentException("the activations of '" + new Call(score.layer(), score.call())
                            + "' are means at each position: take positions together for the means of neurons");
                });
        return activations.entrySet().stream()
                .map(each -> new NeuronConstants(
                        each.getKey().layer(),
                        each.getKey().call(),
                        OptionalLong.empty(),
                        meanOfClusters(each.getValue())))
                .toList();
    }

    /**
     * {@return how far the scores of every other cluster are from those of one, ordered as the scores are; none where that
     * one has no samples}
     *
     * @param against the cluster that the others are compared with
     * @param aggregate {@link Aggregate#MEAN} or {@link Aggregate#MEAN_ABS}, which have a standard error
     * @param confidence of the intervals, between 0 and 1
     * @throws ArgumentException if {@code against} is no cluster of the scores, or the aggregate or the confidence is another
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public List<Difference> differences(long against, Aggregate aggregate, double confidence) {
        Loader.load();
        Map<Call, List<Score>> families = entries.stream()
                .collect(Collectors.groupingBy(
                        score -> new Call(score.layer(), score.call()), LinkedHashMap::new, Collectors.toList()));
        List<Score> others =
                entries.stream().filter(score -> score.cluster() == against).toList();
        if (others.isEmpty()) {
            String known = entries.stream()
                    .map(Score::cluster)
                    .distinct()
                    .sorted()
                    .limit(LISTED)
                    .map(String::valueOf)
                    .collect(Collectors.joining(", "));
            throw new ArgumentException(
                    "there is no cluster " + against + " to compare with: the scores have " + known);
        }
        List<Difference> differences = new ArrayList<>();
        // A layer call at a time, so that no array is longer than Java's.
        families.values().forEach(family -> {
            if (family.stream().anyMatch(score -> score.cluster() == against)) {
                differences.addAll(Decoder.differences(Native.differences(new OptionsWriter()
                        .addAll("scores", Encoder.scores(family))
                        .add("against", against)
                        .add("aggregate", aggregate.id())
                        .add("confidence", confidence)
                        .bytes())));
            }
        });
        return List.copyOf(differences);
    }

    /** Weighs every cluster by its samples, in the same steps as native code. */
    private static double[] meanOfClusters(List<Score> clusters) {
        double[] mean = new double[clusters.get(0).neurons()];
        long count = 0;
        for (Score score : clusters) {
            count += score.count();
            double weight = (double) score.count() / count;
            double[] values = score.mean();
            for (int neuron = 0; neuron < mean.length; neuron++) {
                mean[neuron] += weight * (values[neuron] - mean[neuron]);
            }
        }
        return mean;
    }

    private Call resolve(String layer) {
        Call named = Call.parse(layer);
        List<Call> aliased = names.getOrDefault(layer, List.of());
        List<Call> fitting = calls.stream()
                .filter(call -> named.includes(call) || aliased.stream().anyMatch(alias -> alias.includes(call)))
                .toList();
        if (fitting.isEmpty()) {
            throw new LayerException("no scores of layer '" + layer + "': there are " + list(calls));
        }
        if (fitting.size() > 1) {
            throw new LayerException("layer '" + layer + "' has several calls: name one of " + list(fitting));
        }
        return fitting.get(0);
    }

    private static String list(Collection<Call> calls) {
        String text = calls.stream().map(Call::toString).sorted().limit(LISTED).collect(Collectors.joining(", "));
        int more = calls.size() - LISTED;
        return calls.isEmpty() ? "none" : more > 0 ? text + " and " + more + " more" : text;
    }
}
