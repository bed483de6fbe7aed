package org.pregrad.cli.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.pregrad.cli.output.CurvesCsv;

/**
 * How much of a run the page shows, so that its size stays bounded: what does not fit is drawn more coarsely first, and
 * whole calls of layers are left out last.
 *
 * @param points   of a curve
 * @param neurons  of a heat map
 * @param clusters of a call of a layer
 * @param top      first neurons of a ranking
 * @param layers   calls of layers
 */
record Limits(int points, int neurons, int clusters, int top, int layers) {
    /** Characters of what grows with the input. */
    private static final long BUDGET = 8_000_000;

    private static final int CHARACTERS_PER_NUMBER = 9;
    private static final int CHARACTERS_PER_RANK = 34;
    private static final int CHARACTERS_PER_ROW = 220;

    private static final int MOST_NAMES = 8;
    private static final List<Limits> FROM_FINE_TO_COARSE = List.of(
            new Limits(129, 64, 32, 10, Integer.MAX_VALUE),
            new Limits(65, 32, 24, 10, Integer.MAX_VALUE),
            new Limits(33, 24, 16, 8, Integer.MAX_VALUE),
            new Limits(17, 12, 12, 5, Integer.MAX_VALUE));

    static Limits of(List<LayerScores> layers, Map<PanelKey, Curves> curves, int aggregates) {
        return FROM_FINE_TO_COARSE.stream()
                .filter(limits -> limits.fitting(layers, curves, aggregates) == layers.size())
                .findFirst()
                .orElseGet(() -> coarsest().withLayersThatFit(layers, curves, aggregates));
    }

    /** The clusters that are shown: those with the most samples, in their own order. */
    List<Long> clustersOf(LayerScores layer) {
        List<Long> largest = layer.clusters().stream()
                .sorted(Comparator.comparingLong((Long cluster) -> -layer.count(cluster)))
                .limit(clusters)
                .toList();
        return layer.clusters().stream().filter(largest::contains).toList();
    }

    /** What of a run the page does not show, in words; its heat maps say by themselves how many neurons they show. */
    List<String> leftOut(List<LayerScores> all, Map<PanelKey, Curves> curves) {
        List<String> notes = new ArrayList<>();
        if (all.size() > layers) {
            List<String> names = all.stream()
                    .skip(layers)
                    .map(layer -> layer.layer().label())
                    .toList();
            notes.add(names.size() + " of " + all.size() + " layer calls: "
                    + String.join(", ", names.subList(0, Math.min(MOST_NAMES, names.size())))
                    + (names.size() > MOST_NAMES ? " and more" : "") + ".");
        }
        int mostClusters =
                all.stream().mapToInt(layer -> layer.clusters().size()).max().orElse(0);
        if (mostClusters > clusters) {
            notes.add("All but the " + clusters + " clusters with the most samples of each layer call (there"
                    + " are up to " + mostClusters + ").");
        }
        int mostPoints = curves.values().stream()
                .mapToInt(panel -> panel.removed().length)
                .max()
                .orElse(0);
        if (mostPoints > points) {
            notes.add("All but " + points + " evenly spaced points of each curve of more (there are up to " + mostPoints
                    + ").");
        }
        if (all.stream().anyMatch(LayerScores::hasPositions)) {
            notes.add("Single positions: a neuron is shown by its mean over them, which scores.csv has one by one.");
        }
        return notes;
    }

    private static Limits coarsest() {
        return FROM_FINE_TO_COARSE.get(FROM_FINE_TO_COARSE.size() - 1);
    }

    private Limits withLayersThatFit(List<LayerScores> all, Map<PanelKey, Curves> curves, int aggregates) {
        return new Limits(points, neurons, clusters, top, Math.max(1, fitting(all, curves, aggregates)));
    }

    /** How many of the first calls of layers fit. */
    private int fitting(List<LayerScores> all, Map<PanelKey, Curves> curves, int aggregates) {
        long characters = 0;
        for (int count = 0; count < all.size(); count++) {
            characters += characters(all.get(count), curves, aggregates);
            if (characters > BUDGET) {
                return count;
            }
        }
        return all.size();
    }

    private long characters(LayerScores layer, Map<PanelKey, Curves> curves, int aggregates) {
        long shownClusters = Math.min(clusters, layer.clusters().size());
        long rankings = (long) layer.methods().size() * aggregates;
        long heatMaps = rankings * Math.min(neurons, layer.neurons()) * (shownClusters + 1) * CHARACTERS_PER_NUMBER;
        long tops = rankings * shownClusters * (CHARACTERS_PER_ROW + (long) top * CHARACTERS_PER_RANK);
        long cancellations = layer.methods().size() * shownClusters * 2L * CHARACTERS_PER_ROW;
        long drawn = clustersOf(layer).stream()
                .map(cluster -> curves.get(new PanelKey(layer.layer(), cluster)))
                .mapToLong(this::characters)
                .sum();
        return heatMaps + tops + cancellations + drawn;
    }

    private long characters(Curves panel) {
        if (panel == null) {
            return 0;
        }
        long series =
                2 + panel.curves().stream().filter(curve -> !curve.isRandom()).count();
        long numbers = series * Math.min(points, panel.removed().length) * CurvesCsv.METRICS.size();
        return numbers * CHARACTERS_PER_NUMBER + series * CHARACTERS_PER_ROW;
    }
}
