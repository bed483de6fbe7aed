package org.pregrad.cli.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.pregrad.Escapes;

/** The page's tables, which need no script. */
final class Tables {
    /** How many standard deviations of the random areas an area must lie away to be told from chance. */
    private static final double CLEAR = 2;

    /** Half of a 95% interval, in standard errors. */
    private static final double NORMAL_95 = 1.959964;

    private Tables() {}

    /** @param layer the index of the call of a layer among those that are shown */
    record AreaGroup(int layer, String cluster, String label, List<AreaRow> rows) {}

    record AreaRow(
            String method,
            String aggregate,
            boolean keep,
            String area,
            String interval,
            String difference,
            String verdict,
            String correlation) {}

    record TopGroup(int layer, String method, String aggregate, String label, List<TopRow> rows) {}

    record TopRow(String cluster, List<TopCell> cells) {}

    record TopCell(int neuron, String score) {}

    record CancellationGroup(int layer, String cluster, String label, List<CancellationRow> rows) {}

    record CancellationRow(String method, String lower, String median, String upper, String completeness) {}

    /** Lowest area first. */
    static List<AreaGroup> areas(List<PanelKey> panels, List<LayerCall> layers, List<RunSummary.Area> areas) {
        Map<PanelKey, List<RunSummary.Area>> byPanel =
                areas.stream().collect(Collectors.groupingBy(RunSummary.Area::panel));
        return panels.stream()
                .filter(byPanel::containsKey)
                .map(panel -> new AreaGroup(
                        layers.indexOf(panel.layer()),
                        Escapes.escaped(panel.cluster()),
                        panel.label(),
                        byPanel.get(panel).stream()
                                .sorted(Comparator.comparing(RunSummary.Area::keep)
                                        .thenComparingDouble(area -> area.keep() ? -area.area() : area.area()))
                                .map(Tables::row)
                                .toList()))
                .toList();
    }

    private static AreaRow row(RunSummary.Area area) {
        double difference = area.area() - area.randomArea();
        String random = Curves.RANDOM.equals(area.method())
                ? "\u00b1 " + Shown.decimals(area.randomAreaStd())
                : Shown.decimals(difference);
        return new AreaRow(
                area.method(),
                area.aggregate(),
                area.keep(),
                Shown.decimals(area.area()),
                Double.isNaN(area.areaError()) ? "" : " \u00b1 " + Shown.decimals(NORMAL_95 * area.areaError()),
                random,
                verdict(area, difference),
                Shown.decimals(area.rankCorrelation()));
    }

    private static String verdict(RunSummary.Area area, double difference) {
        if (Curves.RANDOM.equals(area.method()) || Double.isNaN(difference)) {
            return "";
        }
        double clear = CLEAR * area.randomAreaStd();
        double gain = area.keep() ? difference : -difference;
        return gain > clear ? "better" : gain < -clear ? "worse" : "as random";
    }

    static List<TopGroup> top(List<LayerScores> layers, List<String> aggregates, Limits limits) {
        List<TopGroup> groups = new ArrayList<>();
        for (int index = 0; index < layers.size(); index++) {
            LayerScores layer = layers.get(index);
            for (String method : layer.methods()) {
                for (String aggregate : aggregates) {
                    groups.add(new TopGroup(
                            index,
                            method,
                            aggregate,
                            layer.layer().label() + ", " + method + ", " + aggregate,
                            limits.detailedOf(layer).stream()
                                    .filter(cluster -> layer.of(cluster, method) != null)
                                    .map(cluster -> top(cluster, layer.of(cluster, method), aggregate, limits.top()))
                                    .toList()));
                }
            }
        }
        return groups;
    }

    private static TopRow top(String cluster, LayerScores.Columns columns, String aggregate, int most) {
        float[] values = columns.values().get(aggregate);
        return new TopRow(
                Escapes.escaped(cluster),
                IntStream.of(columns.first().get(aggregate))
                        .limit(most)
                        .mapToObj(neuron -> new TopCell(neuron, Shown.number(values[neuron], 3)))
                        .toList());
    }

    static List<CancellationGroup> cancellation(
            List<PanelKey> panels, List<LayerScores> layers, List<RunSummary.Score> scores) {
        Map<List<Object>, RunSummary.Score> byKey = scores.stream()
                .collect(Collectors.toMap(
                        score -> List.of(score.panel(), score.method()), Function.identity(), (first, same) -> first));
        List<LayerCall> names = layers.stream().map(LayerScores::layer).toList();
        return panels.stream()
                .map(panel -> {
                    int index = names.indexOf(panel.layer());
                    LayerScores layer = layers.get(index);
                    return new CancellationGroup(
                            index,
                            Escapes.escaped(panel.cluster()),
                            panel.label(),
                            layer.methods().stream()
                                    .filter(method -> layer.of(panel.cluster(), method) != null)
                                    .map(method -> row(
                                            method,
                                            layer.of(panel.cluster(), method),
                                            byKey.get(List.of(panel, method))))
                                    .toList());
                })
                .toList();
    }

    private static CancellationRow row(String method, LayerScores.Columns columns, RunSummary.Score score) {
        PageData.Spread spread = columns.cancellation();
        double[] quantiles = spread == null
                ? new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN}
                : spread.quantiles();
        return new CancellationRow(
                method,
                Shown.decimals(quantiles[1]),
                Shown.decimals(quantiles[2]),
                Shown.decimals(quantiles[3]),
                Shown.number(score == null ? Double.NaN : score.completenessError(), 2));
    }
}
