package org.pregrad.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Says in words what of a run the page does not show; its heat maps say by themselves how many neurons they show. */
final class LeftOut {
    private static final int MOST_NAMES = 8;

    private LeftOut() {}

    static List<String> of(List<LayerScores> all, Map<PanelKey, Curves> curves, Limits limits) {
        List<String> notes = new ArrayList<>();
        if (all.size() > limits.layers()) {
            List<String> names = all.stream()
                    .skip(limits.layers())
                    .map(layer -> layer.layer().label())
                    .toList();
            notes.add(names.size() + " of " + all.size() + " layer calls: "
                    + String.join(", ", names.subList(0, Math.min(MOST_NAMES, names.size())))
                    + (names.size() > MOST_NAMES ? " and more" : "") + ".");
        }
        int clusters =
                all.stream().mapToInt(layer -> layer.clusters().size()).max().orElse(0);
        if (clusters > limits.clusters()) {
            notes.add("All but the " + limits.clusters() + " clusters with the most samples of each layer call (there"
                    + " are up to " + clusters + ").");
        }
        int points = curves.values().stream()
                .mapToInt(panel -> panel.removed().length)
                .max()
                .orElse(0);
        if (points > limits.points()) {
            notes.add("All but " + limits.points() + " evenly spaced points of each curve of more (there are up to "
                    + points + ").");
        }
        return notes;
    }
}
