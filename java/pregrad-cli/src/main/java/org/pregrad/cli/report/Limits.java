package org.pregrad.cli.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.pregrad.cli.output.CurvesCsv;

/**
 * How much of a run the page shows, so that its size stays bounded: what does not fit is drawn more coarsely first;
 * clusters and whole calls of layers are left out last.
 *
 * @param points   of a curve
 * @param neurons  of a call of a layer whose scores of all clusters are there, by any method
 * @param first    neurons of each ranking of each cluster that are there, whichever they are
 * @param details  clusters of a call of a layer with curves, cancellation and rows in the tables
 * @param top      first neurons of a ranking in the tables
 * @param bytes    of a score: 4 for seven digits, 2 for three
 * @param examples neurons with their examples
 * @param pictures samples that are shown
 * @param clusters of a call of a layer
 * @param layers   calls of layers
 */
record Limits(
        int points,
        int neurons,
        int first,
        int details,
        int top,
        int bytes,
        int examples,
        int pictures,
        int clusters,
        int layers) {
    /** Of a page, if nobody says otherwise. */
    static final long BYTES = 3_000_000;

    /** The same where there are removal curves. */
    static final long BYTES_WITH_CURVES = 9_000_000;

    private static final int CHARACTERS_PER_NUMBER = 9;

    static final int MOST_PICTURES = 300;

    private static final int ALL = Integer.MAX_VALUE;
    private static final int CHARACTERS_OF_A_CLUSTER = 26;
    private static final double CHARACTERS_OF_A_BYTE = 4.0 / 3;
    private static final int MEASURES = 4;

    private static final int MOST_NAMES = 8;
    private static final List<Limits> FROM_FINE_TO_COARSE = List.of(
            new Limits(129, 4096, 24, ALL, 10, 4, 2000, 300, ALL, ALL),
            new Limits(129, 1024, 24, 64, 10, 4, 2000, 300, ALL, ALL),
            new Limits(129, 512, 24, 32, 10, 4, 2000, 300, ALL, ALL),
            new Limits(129, 256, 24, 32, 10, 4, 1500, 250, ALL, ALL),
            new Limits(65, 128, 24, 24, 10, 4, 1000, 200, ALL, ALL),
            new Limits(65, 64, 24, 24, 10, 4, 1000, 200, ALL, ALL),
            new Limits(65, 128, 24, 16, 10, 2, 800, 200, ALL, ALL),
            new Limits(65, 64, 24, 16, 10, 2, 800, 150, ALL, ALL),
            new Limits(33, 48, 20, 12, 10, 2, 600, 120, ALL, ALL),
            new Limits(33, 32, 16, 12, 8, 2, 400, 100, ALL, ALL),
            new Limits(33, 24, 12, 8, 8, 2, 300, 80, ALL, ALL),
            new Limits(17, 16, 10, 4, 5, 2, 200, 60, ALL, ALL),
            new Limits(17, 16, 8, 2, 5, 2, 150, 50, ALL, ALL),
            new Limits(17, 12, 8, 2, 5, 2, 150, 50, ALL, ALL),
            new Limits(17, 12, 6, 1, 5, 2, 100, 40, ALL, ALL),
            new Limits(17, 8, 5, 1, 5, 2, 100, 40, ALL, ALL),
            new Limits(17, 8, 5, 1, 5, 2, 100, 40, 200, ALL),
            new Limits(17, 8, 5, 1, 5, 2, 100, 40, 100, ALL),
            new Limits(17, 8, 5, 1, 5, 2, 100, 40, 50, ALL),
            new Limits(17, 8, 5, 1, 5, 2, 100, 40, 24, ALL),
            new Limits(17, 8, 5, 1, 5, 2, 100, 40, 12, ALL));

    /** All that may be tried, finest first; the last shows one call of a layer. */
    static List<Limits> fromFineToCoarse(int layers) {
        List<Limits> all = new ArrayList<>(FROM_FINE_TO_COARSE);
        Limits coarsest = all.get(all.size() - 1);
        for (int left = layers - layers / 4; left < layers; left -= Math.max(1, left / 4)) {
            if (left < 1) {
                break;
            }
            all.add(coarsest.of(left));
        }
        return all;
    }

    private Limits of(int fewerLayers) {
        return new Limits(points, neurons, first, details, top, bytes, examples, pictures, clusters, fewerLayers);
    }

    /** Whether the scores and curves alone take less than so many characters. */
    boolean mayFit(List<LayerScores> all, Map<PanelKey, Curves> curves, long characters) {
        double needed = 0;
        for (LayerScores layer : all.subList(0, Math.min(layers, all.size()))) {
            long shown = Math.min(clusters, layer.clusters().size());
            int columns = layer.columns().size();
            double perMethod = (double) Math.min(neurons, layer.neurons()) * columns * bytes;
            if (layer.neurons() > neurons) {
                perMethod += (double) first * (columns + 1) * bytes;
            }
            perMethod += (double) MEASURES * bytes;
            if (!curves.isEmpty()) {
                needed += detailedOf(layer).stream()
                        .mapToDouble(cluster -> characters(curves.get(new PanelKey(layer.layer(), cluster))))
                        .sum();
            }
            needed += shown * (CHARACTERS_OF_A_CLUSTER + layer.methods().size() * perMethod * CHARACTERS_OF_A_BYTE);
        }
        return needed < characters;
    }

    /** Of curves some numbers are short. */
    private double characters(Curves panel) {
        return panel == null
                ? 0
                : 0.6
                        * CHARACTERS_PER_NUMBER
                        * CurvesCsv.METRICS.size()
                        * Math.min(points, panel.removed().length)
                        * panel.curves().stream()
                                .filter(curve -> !curve.isRandom())
                                .count();
    }

    /** The clusters that are shown: those with the most samples, in their own order. */
    List<String> clustersOf(LayerScores layer) {
        return largest(layer, clusters);
    }

    /** Those of them that have curves, cancellation and rows in the tables. */
    List<String> detailedOf(LayerScores layer) {
        return largest(layer, Math.min(details, clusters));
    }

    private static List<String> largest(LayerScores layer, int most) {
        if (most >= layer.clusters().size()) {
            return layer.clusters();
        }
        List<String> largest = layer.clusters().stream()
                .sorted(Comparator.comparingLong((String cluster) -> -layer.count(cluster)))
                .limit(most)
                .toList();
        return layer.clusters().stream().filter(largest::contains).toList();
    }

    /** What of a run the page does not show, in words; its heat maps say by themselves how many neurons they show. */
    List<String> leftOut(List<LayerScores> all, Map<PanelKey, Curves> curves, int allExamples) {
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
        if (Math.min(mostClusters, clusters) > details) {
            notes.add("Cancellation, " + (curves.isEmpty() ? "" : "removal curves, areas ")
                    + "and rows in the tables of all but the " + (details == 1 ? "cluster" : details + " clusters")
                    + " with the most samples of each layer call.");
        }
        int mostNeurons = all.stream().mapToInt(LayerScores::neurons).max().orElse(0);
        if (mostNeurons > neurons) {
            notes.add("Scores of neurons that are neither among the first " + first + " of their cluster nor among the "
                    + neurons + " with the largest of their layer call (there are up to " + mostNeurons
                    + " neurons).");
        }
        if (bytes == Short.BYTES) {
            notes.add("Digits of scores beyond the third.");
        }
        int mostPoints = curves.values().stream()
                .mapToInt(panel -> panel.removed().length)
                .max()
                .orElse(0);
        if (mostPoints > points) {
            notes.add("All but " + points + " evenly spaced points of each curve of more (there are up to " + mostPoints
                    + ").");
        }
        if (allExamples > examples) {
            notes.add("Examples of all but " + examples + " neurons, those of the first ranks.");
        }
        if (all.stream().anyMatch(LayerScores::hasPositions)) {
            notes.add("Single positions: a neuron is shown by its mean over them, which scores.csv has one by one.");
        }
        return notes;
    }
}
