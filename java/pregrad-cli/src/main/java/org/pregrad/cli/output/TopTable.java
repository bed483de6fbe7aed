package org.pregrad.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.Score;
import org.pregrad.Scores;

/** The first neurons of each cluster as a short table for the terminal. */
public final class TopTable {
    private static final int NEURONS = 5;
    private static final int ROWS = 30;

    private TopTable() {}

    public static String text(Scores scores, Method method, Aggregate aggregate) {
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
        wanted.stream().limit(ROWS).forEach(group -> table.add(row(group, aggregate)));
        int more = wanted.size() - ROWS;
        return table.render() + (more > 0 ? "... and " + more + " more clusters\n" : "");
    }

    private static List<String> row(List<Score> group, Aggregate aggregate) {
        List<String> neurons = new ArrayList<>();
        for (Summary.Neuron neuron : Summary.top(group, aggregate, NEURONS)) {
            String name = neuron.neuron() + (neuron.position() == null ? "" : " at " + neuron.position());
            neurons.add(neuron.score() == null ? name : String.format(Locale.ROOT, "%s (%.3g)", name, neuron.score()));
        }
        Score first = group.get(0);
        return List.of(
                first.layer() + "@" + first.call(),
                Long.toString(first.cluster()),
                Long.toString(Summary.count(group)),
                String.join("  ", neurons));
    }
}
