package org.pregrad.cli.output;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.pregrad.Aggregate;
import org.pregrad.Difference;
import org.pregrad.Method;
import org.pregrad.Score;
import org.pregrad.Scores;

/** The first neurons of each cluster as a short table for the terminal. */
public final class TopTable {
    private static final int NEURONS = 5;
    private static final int ROWS = 30;
    private static final int DIFFERENT = 3;

    /** Of the neurons that are called different, so large a share may be expected not to be. */
    private static final double DISCOVERED = 0.05;

    private TopTable() {}

    public static String text(Scores scores, Method method, Aggregate aggregate, ClusterNames names) {
        List<List<Score>> wanted = Summary.groups(
                scores.all().stream().filter(score -> score.method() == method).toList());
        boolean hasPositions =
                wanted.stream().anyMatch(group -> group.get(0).position().isPresent());
        Table table = new Table(
                "lrrl",
                List.of(
                        "layer",
                        "cluster",
                        "samples",
                        "first neurons by " + aggregate.id() + " of " + method.id()
                                + (hasPositions ? ", each at a position" : "")));
        wanted.stream().limit(ROWS).forEach(group -> table.add(row(group, aggregate, names)));
        int more = wanted.size() - ROWS;
        return table.render() + (more > 0 ? "... and " + more + " more clusters\n" : "");
    }

    /** How each cluster differs from another: how many neurons do, and those of which it is surest. */
    public static String differences(List<Difference> all, Method method, ClusterNames names) {
        List<Difference> wanted =
                all.stream().filter(each -> each.method() == method).toList();
        if (wanted.isEmpty()) {
            return "";
        }
        Difference any = wanted.get(0);
        Table table = new Table(
                "lrrl",
                List.of(
                        "layer",
                        "cluster",
                        "q ≤ " + DISCOVERED,
                        any.aggregate().id() + " of " + method.id() + " minus that of cluster "
                                + names.name(any.against()) + ", 95% intervals"));
        wanted.stream().limit(ROWS).forEach(each -> table.add(row(each, names)));
        int more = wanted.size() - ROWS;
        return "\n" + table.render() + (more > 0 ? "... and " + more + " more in " + ScoresCsv.FILE + "\n" : "");
    }

    private static List<String> row(Difference each, ClusterNames names) {
        double[] q = each.q();
        double[] p = each.p();
        double[] difference = each.difference();
        double[] low = each.low();
        double[] high = each.high();
        String surest = IntStream.range(0, q.length)
                .boxed()
                .filter(neuron -> q[neuron] <= DISCOVERED)
                .sorted(Comparator.comparingDouble(neuron -> p[neuron]))
                .limit(DIFFERENT)
                .map(neuron -> String.format(
                        Locale.ROOT, "%d (%+.3g, %.3g to %.3g)", neuron, difference[neuron], low[neuron], high[neuron]))
                .collect(Collectors.joining("  "));
        long found = Arrays.stream(q).filter(value -> value <= DISCOVERED).count();
        String at = each.position().isPresent() ? " at " + each.position().getAsLong() : "";
        return List.of(
                each.layer() + "@" + each.call() + at,
                names.name(each.cluster()),
                found + " of " + q.length,
                surest.isEmpty() ? "-" : surest);
    }

    private static List<String> row(List<Score> group, Aggregate aggregate, ClusterNames names) {
        List<String> neurons = new ArrayList<>();
        for (Summary.Neuron neuron : Summary.top(group, aggregate, NEURONS)) {
            String name = neuron.neuron() + (neuron.position() == null ? "" : " at " + neuron.position());
            neurons.add(neuron.score() == null ? name : String.format(Locale.ROOT, "%s (%.3g)", name, neuron.score()));
        }
        Score first = group.get(0);
        return List.of(
                first.layer() + "@" + first.call(),
                names.name(first.cluster()),
                Long.toString(Summary.count(group)),
                String.join("  ", neurons));
    }
}
