package org.pregrad.cli.output;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The areas under the removal curves as a table for the terminal, the best order of each cluster first. */
public final class CurveTable {
    private static final int ROWS = 60;
    private static final String NONE = "-";

    private CurveTable() {}

    public static String text(List<CurveArea> curves, ClusterNames names) {
        Map<String, List<CurveArea>> clusters = new LinkedHashMap<>();
        for (CurveArea curve : curves) {
            String cluster = curve.layer() + "@" + curve.call() + " " + curve.cluster();
            clusters.computeIfAbsent(cluster, key -> new ArrayList<>()).add(curve);
        }
        Table table = new Table(
                "lrllrrrrr",
                List.of(
                        "layer",
                        "cluster",
                        "method",
                        "aggregate",
                        "area",
                        "95% interval",
                        "random",
                        "p",
                        "rank correlation"));
        clusters.values().stream()
                .flatMap(cluster -> cluster.stream().sorted(Comparator.comparing(CurveTable::areaOrLast)))
                .limit(ROWS)
                .forEach(curve -> table.add(row(curve, names)));
        int more = curves.size() - ROWS;
        return table.render() + (more > 0 ? "... and " + more + " more in " + Summary.FILE + "\n" : "");
    }

    private static List<String> row(CurveArea curve, ClusterNames names) {
        String random =
                curve.randomArea() == null ? NONE : number(curve.randomArea()) + " ± " + number(curve.randomAreaStd());
        return List.of(
                curve.layer() + "@" + curve.call(),
                names.name(curve.cluster()),
                CurvesCsv.KEEP.equals(curve.curve()) ? curve.method() + " (kept)" : curve.method(),
                curve.aggregate(),
                number(curve.area()),
                curve.areaLow() == null ? NONE : number(curve.areaLow()) + " to " + number(curve.areaHigh()),
                random,
                curve.fromRandom() == null
                        ? NONE
                        : String.format(Locale.ROOT, "%.2g", curve.fromRandom().p()),
                curve.rankCorrelation() == null ? NONE : String.format(Locale.ROOT, "%.2f", curve.rankCorrelation()));
    }

    private static double areaOrLast(CurveArea curve) {
        return curve.area() == null ? Double.POSITIVE_INFINITY : curve.area();
    }

    private static String number(Double value) {
        return value == null ? NONE : String.format(Locale.ROOT, "%.3f", value);
    }
}
