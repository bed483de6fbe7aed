package org.pregrad.cli.report;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pregrad.cli.errors.UserException;

/** Finds out whether the files of a directory belong together and are whole. */
final class OneRun {
    private OneRun() {}

    /** @throws UserException if they do not or are not */
    static void check(
            Source scores, RunSummary summary, List<LayerScores> layers, Source curves, Set<PanelKey> curvePanels) {
        Map<LayerCall, LayerScores> byName = new HashMap<>();
        layers.forEach(layer -> byName.put(layer.layer(), layer));
        for (RunSummary.Score score : summary.scores()) {
            LayerScores layer = byName.get(score.panel().layer());
            if (layer == null || layer.of(score.panel().cluster(), score.method()) == null) {
                throw scores.damaged(
                        "it lacks " + score.panel().label() + ", " + score.method() + ", which summary.json has");
            }
            if (layer.neurons() != score.neurons()) {
                throw scores.damaged("it has " + layer.neurons() + " neurons for "
                        + score.panel().label() + " where summary.json has " + score.neurons());
            }
        }
        for (PanelKey panel : curvePanels) {
            LayerScores layer = byName.get(panel.layer());
            if (layer == null || !layer.clusters().contains(panel.cluster())) {
                throw curves.damaged("it has " + panel.label() + ", which scores.csv lacks");
            }
        }
        for (RunSummary.Area area : summary.areas()) {
            if (!curvePanels.contains(area.panel())) {
                throw curves.damaged("it lacks " + area.panel().label() + ", which summary.json has");
            }
        }
    }
}
