package org.pregrad.cli.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;
import org.pregrad.Score;
import org.pregrad.Scores;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.output.ClusterNames;
import org.pregrad.cli.output.CurvesCsv;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.report.DirectoryFiles.Source;

/**
 * What a page shows of a run, whether the run has just ended or its files are read.
 *
 * @param layers all scores
 * @param curves none if no neurons were removed
 */
record RunData(RunSummary summary, List<LayerScores> layers, Map<PanelKey, Curves> curves) {
    /** @throws UserException if a file is missing or damaged, or the files are not of one run */
    static RunData read(DirectoryFiles files, Report.Part part) {
        Source scoresFile = files.source(ScoresCsv.FILE);
        Source curvesFile = files.source(CurvesCsv.FILE);
        RunSummary summary = SummaryReader.read(files.source(Summary.FILE)).of(part);
        List<LayerScores> layers = ScoresReader.read(scoresFile, summary.aggregates(), part);
        RunData run =
                new RunData(summary, layers, summary.hasCurves() ? CurvesReader.read(curvesFile, part) : Map.of());
        run.check(scoresFile, curvesFile);
        return run;
    }

    /**
     * @param summary  as it is written
     * @param names    of the clusters
     * @param compared {@code scores.csv} where it compares clusters; else null
     */
    static RunData of(JsonNode summary, Scores scores, List<RemovalCurve> curves, ClusterNames names, Path compared) {
        RunSummary read = SummaryReader.of(summary);
        List<LayerScores> layers = compared == null
                ? layers(scores, read.aggregates(), names)
                : ScoresReader.read(new Source(compared), read.aggregates(), Report.Part.ALL);
        return new RunData(read, layers, panels(curves, names));
    }

    private static List<LayerScores> layers(Scores scores, List<String> aggregates, ClusterNames names) {
        Map<LayerCall, LayerScores> layers = new LinkedHashMap<>();
        for (Score score : scores.all()) {
            Map<String, double[]> values = new LinkedHashMap<>();
            for (Aggregate aggregate : Aggregate.values()) {
                values.put(aggregate.id(), score.of(aggregate));
            }
            LayerScores layer = layers.computeIfAbsent(
                    new LayerCall(score.layer(), score.call()),
                    call -> new LayerScores(call, score.neurons(), aggregates));
            String cluster = names.name(score.cluster());
            if (score.position().isPresent()) {
                layer.addPosition(cluster, score.method().id(), score.count(), values);
            } else {
                layer.add(cluster, score.method().id(), score.count(), values);
            }
        }
        layers.values().forEach(LayerScores::close);
        return new ArrayList<>(layers.values());
    }

    private static Map<PanelKey, Curves> panels(List<RemovalCurve> curves, ClusterNames names) {
        Map<PanelKey, Curves> panels = new LinkedHashMap<>();
        for (RemovalCurve curve : curves) {
            RemovalOrder order = curve.order();
            PanelKey panel = new PanelKey(new LayerCall(order.layer(), order.call()), names.name(order.cluster()));
            panels.computeIfAbsent(panel, key -> new Curves(curve.removed(), new ArrayList<>()))
                    .curves()
                    .add(new Curves.Curve(
                            order.method().id(), order.aggregate().id(), order.keep(), CurvesCsv.values(curve)));
        }
        return panels;
    }

    /** @throws UserException if the files do not belong together or are not whole */
    private void check(Source scoresFile, Source curvesFile) {
        Map<LayerCall, LayerScores> byName = new HashMap<>();
        layers.forEach(layer -> byName.put(layer.layer(), layer));
        for (RunSummary.Score score : summary.scores()) {
            LayerScores layer = byName.get(score.panel().layer());
            if (layer == null || layer.of(score.panel().cluster(), score.method()) == null) {
                throw scoresFile.damaged(
                        "it lacks " + score.panel().label() + ", " + score.method() + ", which summary.json has");
            }
            if (layer.neurons() != score.neurons()) {
                throw scoresFile.damaged("it has " + layer.neurons() + " neurons for "
                        + score.panel().label() + " where summary.json has " + score.neurons());
            }
        }
        for (PanelKey panel : curves.keySet()) {
            LayerScores layer = byName.get(panel.layer());
            if (layer == null || !layer.clusters().contains(panel.cluster())) {
                throw curvesFile.damaged("it has " + panel.label() + ", which scores.csv lacks");
            }
        }
        for (RunSummary.Area area : summary.areas()) {
            if (!curves.keySet().contains(area.panel())) {
                throw curvesFile.damaged("it lacks " + area.panel().label() + ", which summary.json has");
            }
        }
    }
}
