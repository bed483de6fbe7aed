package org.pregrad.cli.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.RemovalOrder;
import org.pregrad.Score;
import org.pregrad.Scores;

/** Orders of removal of one layer call and cluster that are measured together. */
public record CurveUnit(List<RemovalOrder> orders) {
    /** A pass over the data runs the model up to the layer once more, which so many points outweigh. */
    private static final int FEWEST_POINTS = 256;

    /** Above it only so many counts of removed neurons are measured. */
    private static final int MOST_COUNTS = 128;

    /**
     * What is measured for each layer call and cluster of the scores.
     *
     * @param keep whether neurons are also kept in the order of each method; a random order kept is another one removed
     */
    public record Wanted(
            Set<Method> methods,
            List<Aggregate> aggregates,
            boolean keep,
            int repeats,
            long seed,
            Set<Long> clusters) {}

    /** All units, in the order of layers, calls, clusters, methods, aggregates and repeats. */
    public static List<CurveUnit> of(Scores scores, Wanted wanted) {
        List<CurveUnit> units = new ArrayList<>();
        List<RemovalOrder> unit = new ArrayList<>();
        int points = 0;
        for (RemovalOrder order : orders(scores, wanted)) {
            if (!unit.isEmpty() && (points >= FEWEST_POINTS || !sameNeurons(unit.get(0), order))) {
                units.add(new CurveUnit(List.copyOf(unit)));
                unit.clear();
                points = 0;
            }
            unit.add(order);
            points += Math.min(order.neurons().length, MOST_COUNTS) + 1;
        }
        if (!unit.isEmpty()) {
            units.add(new CurveUnit(List.copyOf(unit)));
        }
        return units;
    }

    /** What all orders have in common. */
    RemovalOrder first() {
        return orders.get(0);
    }

    private static List<RemovalOrder> orders(Scores scores, Wanted wanted) {
        List<RemovalOrder> orders = new ArrayList<>();
        for (Score score : scores.all()) {
            if (!wanted.clusters().contains(score.cluster())) {
                continue;
            }
            if (score.method() == Method.RANDOM) {
                orders.addAll(RemovalOrder.random(
                        score.layer(),
                        score.call(),
                        score.cluster(),
                        score.neurons(),
                        wanted.repeats(),
                        wanted.seed()));
            } else if (wanted.methods().contains(score.method())) {
                for (Aggregate aggregate : wanted.aggregates()) {
                    RemovalOrder order = RemovalOrder.of(score, aggregate);
                    orders.add(order);
                    if (wanted.keep()) {
                        orders.add(order.kept());
                    }
                }
            }
        }
        return orders;
    }

    private static boolean sameNeurons(RemovalOrder left, RemovalOrder right) {
        return left.layer().equals(right.layer()) && left.call() == right.call() && left.cluster() == right.cluster();
    }
}
