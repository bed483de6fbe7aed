package org.pregrad.cli.output;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;
import org.pregrad.Score;

/** The first neurons of a cluster. */
final class Ranking {
    private Ranking() {}

    static Map<String, List<Summary.Neuron>> top(Score score, List<Aggregate> aggregates, int most) {
        Map<String, List<Summary.Neuron>> top = new LinkedHashMap<>();
        for (Aggregate aggregate : aggregates) {
            top.put(aggregate.id(), top(score, aggregate, most));
        }
        return top;
    }

    static List<Summary.Neuron> top(Score score, Aggregate aggregate, int most) {
        double[] values = score.of(aggregate);
        return Arrays.stream(score.ranking(aggregate))
                .limit(most)
                .mapToObj(neuron -> new Summary.Neuron(neuron, Json.orNull(values[neuron])))
                .toList();
    }
}
