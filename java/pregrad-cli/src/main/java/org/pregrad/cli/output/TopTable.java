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
        List<Score> wanted =
                scores.all().stream().filter(score -> score.method() == method).toList();
        Table table = new Table(
                "lrrl",
                List.of("layer", "cluster", "samples", "first neurons by " + aggregate.id() + " of " + method.id()));
        wanted.stream().limit(ROWS).forEach(score -> table.add(row(score, aggregate)));
        int more = wanted.size() - ROWS;
        return table.render() + (more > 0 ? "... and " + more + " more clusters\n" : "");
    }

    private static List<String> row(Score score, Aggregate aggregate) {
        List<String> neurons = new ArrayList<>();
        for (Summary.Neuron neuron : Summary.top(score, aggregate, NEURONS)) {
            neurons.add(
                    neuron.score() == null
                            ? Integer.toString(neuron.neuron())
                            : String.format(Locale.ROOT, "%d (%.3g)", neuron.neuron(), neuron.score()));
        }
        return List.of(
                score.layer() + "@" + score.call(),
                Long.toString(score.cluster()),
                Long.toString(score.count()),
                String.join("  ", neurons));
    }
}
