package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.pregrad.Aggregate;
import org.pregrad.Score;
import org.pregrad.Scores;

/**
 * {@code summary.json}: what was run on what, and the first neurons of each ranking. It holds no times, so that the same
 * run gives the same bytes.
 *
 * @param versions  of PreGrad, LibTorch and Java
 * @param command   as it can be pasted into a shell
 * @param arguments what the command was given, word for word
 * @param options   all options with their values
 * @param model     the model's file
 * @param data      the data's file
 * @param samples   how many samples were scored
 * @param scores    one entry per layer, call, cluster and method
 */
public record Summary(
        Map<String, String> versions,
        String command,
        List<String> arguments,
        Map<String, Object> options,
        FileDigest model,
        FileDigest data,
        long samples,
        List<Entry> scores) {
    public static final String FILE = "summary.json";

    private static final int TOP = 10;
    private static final String CLUSTER = "cluster";

    /** The list of names, where clusters have them. */
    public static final String CLUSTER_NAMES = "cluster_names";

    /**
     * A neuron and its score.
     *
     * @param position null for all positions together
     * @param score    null where there is none
     */
    public record Neuron(
            int neuron,
            @JsonInclude(JsonInclude.Include.NON_NULL) Long position,
            Double score) {}

    /**
     * The scores of one layer, call, cluster and method.
     *
     * @param positions          how many have scores of their own; null for all positions together
     * @param medianCancellation over the neurons; null where all scores are 0
     * @param completenessError  of a path method: how far the scores are from the difference of the outputs; else null
     * @param top                a ranking's first neurons, by the name of the aggregate
     */
    public record Entry(
            String layer,
            long call,
            long cluster,
            String method,
            long count,
            int neurons,
            @JsonInclude(JsonInclude.Include.NON_NULL) Integer positions,
            @JsonProperty("median_cancellation") Double medianCancellation,
            @JsonProperty("completeness_error") Double completenessError,
            Map<String, List<Neuron>> top) {}

    /**
     * That of a run that measured removal curves.
     *
     * @param run       what every summary says; its scores are those of the score data
     * @param scoreData the file that was scored; null if it was the data itself
     * @param curves    one entry per layer call, cluster, method and aggregate
     * @param sanity    the same against shuffled weights; null if not asked for
     */
    public record OfAblation(
            @JsonUnwrapped Summary run,
            @JsonProperty("score_data") FileDigest scoreData,
            List<CurveArea> curves,
            @JsonInclude(JsonInclude.Include.NON_NULL) List<Sanity> sanity) {}

    /** The summary as it is written where clusters have names: with these in the place of numbers. */
    public static JsonNode named(JsonNode summary, ClusterNames names) {
        if (names.any()) {
            ArrayNode list = ((ObjectNode) summary).putArray(CLUSTER_NAMES);
            names.all().forEach(list::add);
            for (String part : List.of("scores", "curves", "sanity")) {
                summary.path(part).forEach(entry -> {
                    ObjectNode row = (ObjectNode) entry;
                    row.put(CLUSTER, names.name(row.get(CLUSTER).asLong()));
                });
            }
        }
        return summary;
    }

    /**
     * That of a run that explained single samples, which have a file of their own.
     *
     * @param samples how many the data has
     */
    public record OfExplanation(
            Map<String, String> versions,
            String command,
            List<String> arguments,
            Map<String, Object> options,
            FileDigest model,
            FileDigest data,
            long samples) {}

    /** The entries of all scores. */
    public static List<Entry> entries(Scores scores, List<Aggregate> aggregates) {
        return groups(scores.all()).stream()
                .map(group -> entry(group, aggregates))
                .toList();
    }

    /** The scores of each layer, call, cluster and method: one, or one per position. */
    static List<List<Score>> groups(List<Score> scores) {
        Map<List<Object>, List<Score>> groups = new LinkedHashMap<>();
        for (Score score : scores) {
            groups.computeIfAbsent(
                            List.of(score.layer(), score.call(), score.cluster(), score.method()),
                            key -> new ArrayList<>())
                    .add(score);
        }
        return List.copyOf(groups.values());
    }

    /** How many samples a group has at the position that counts for most of them. */
    static long count(List<Score> group) {
        return group.stream().mapToLong(Score::count).max().orElse(0);
    }

    private static Entry entry(List<Score> group, List<Aggregate> aggregates) {
        Score score = group.get(0);
        OptionalDouble cancellation = medianCancellation(group);
        return new Entry(
                score.layer(),
                score.call(),
                score.cluster(),
                score.method().id(),
                count(group),
                score.neurons(),
                score.position().isPresent() ? group.size() : null,
                cancellation.isPresent() ? cancellation.getAsDouble() : null,
                Json.orNull(score.completenessError()),
                top(group, aggregates, TOP));
    }

    private static Map<String, List<Neuron>> top(List<Score> group, List<Aggregate> aggregates, int most) {
        Map<String, List<Neuron>> top = new LinkedHashMap<>();
        for (Aggregate aggregate : aggregates) {
            top.put(aggregate.id(), top(group, aggregate, most));
        }
        return top;
    }

    /** The first neurons of a cluster, each at a position where these have scores of their own. */
    static List<Neuron> top(List<Score> group, Aggregate aggregate, int most) {
        // Those of one score stand in their order already, ties by index.
        return group.stream()
                .flatMap(score -> top(score, aggregate, most))
                .sorted(Comparator.comparing(Neuron::score, Comparator.nullsLast(Comparator.reverseOrder())))
                .limit(most)
                .toList();
    }

    private static Stream<Neuron> top(Score score, Aggregate aggregate, int most) {
        double[] values = score.of(aggregate);
        Long position = score.position().isPresent() ? score.position().getAsLong() : null;
        return Arrays.stream(score.ranking(aggregate))
                .limit(most)
                .mapToObj(neuron -> new Neuron(neuron, position, Json.orNull(values[neuron])));
    }

    /** The median over the neurons, and positions, that have any score; empty if none has. */
    static OptionalDouble medianCancellation(List<Score> group) {
        double[] shares = group.stream()
                .flatMapToDouble(score -> Arrays.stream(score.cancellation()))
                .filter(share -> !Double.isNaN(share))
                .sorted()
                .toArray();
        int half = shares.length / 2;
        if (shares.length == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(shares.length % 2 == 1 ? shares[half] : (shares[half - 1] + shares[half]) / 2);
    }
}
