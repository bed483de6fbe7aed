package org.pregrad.cli.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.pregrad.cli.output.CurvesCsv;

/** Makes the curves of a call of a layer and a cluster ready to be drawn. */
final class CurveSets {
    private final Map<PanelKey, Curves> panels;
    private final Map<List<Object>, RunSummary.Area> areas = new LinkedHashMap<>();
    private final int most;

    /** @param most points of a curve */
    CurveSets(Map<PanelKey, Curves> panels, List<RunSummary.Area> areas, int most) {
        this.panels = panels;
        this.most = most;
        areas.forEach(
                area -> this.areas.put(List.of(area.panel(), area.method(), area.aggregate(), area.keep()), area));
    }

    /** Null if there are no curves. */
    PageData.CurveSet of(PanelKey key) {
        Curves panel = panels.get(key);
        if (panel == null) {
            return null;
        }
        int[] kept = kept(panel.removed().length);
        List<PageData.Series> series = new ArrayList<>();
        List<Curves.Curve> random = new ArrayList<>();
        List<Curves.Curve> randomKept = new ArrayList<>();
        for (Curves.Curve curve : panel.curves()) {
            if (curve.isRandom()) {
                (curve.keep() ? randomKept : random).add(curve);
            } else {
                double[][] values =
                        curve.values().stream().map(metric -> at(metric, kept)).toArray(double[][]::new);
                RunSummary.Area area = area(key, curve);
                series.add(new PageData.Series(
                        curve.method(),
                        curve.aggregate(),
                        curve.keep(),
                        area == null ? Double.NaN : area.area(),
                        area == null ? Double.NaN : area.areaError(),
                        values));
            }
        }
        int[] removed = IntStream.of(kept).map(point -> panel.removed()[point]).toArray();
        return new PageData.CurveSet(removed, series, band(key, random, kept), band(key, randomKept, kept));
    }

    /** Null if the summary has none. */
    private RunSummary.Area area(PanelKey key, Curves.Curve curve) {
        return areas.get(List.of(key, curve.method(), curve.aggregate(), curve.keep()));
    }

    /** Null without repeats. */
    private PageData.Band band(PanelKey key, List<Curves.Curve> repeats, int[] kept) {
        if (repeats.isEmpty()) {
            return null;
        }
        int metrics = CurvesCsv.METRICS.size();
        double[][] mean = new double[metrics][];
        double[][] std = new double[metrics][];
        for (int metric = 0; metric < metrics; metric++) {
            int of = metric;
            mean[metric] = IntStream.of(kept)
                    .mapToDouble(point -> mean(at(repeats, of, point)))
                    .toArray();
            std[metric] = IntStream.of(kept)
                    .mapToDouble(point -> std(at(repeats, of, point)))
                    .toArray();
        }
        RunSummary.Area area = area(key, repeats.get(0));
        return new PageData.Band(
                repeats.size(),
                area == null ? Double.NaN : area.randomArea(),
                area == null ? Double.NaN : area.randomAreaStd(),
                mean,
                std);
    }

    private static double[] at(List<Curves.Curve> repeats, int metric, int point) {
        return repeats.stream()
                .mapToDouble(curve -> curve.values().get(metric)[point])
                .toArray();
    }

    private static double[] at(double[] values, int[] points) {
        return IntStream.of(points).mapToDouble(point -> values[point]).toArray();
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).sum() / values.length;
    }

    private static double std(double[] values) {
        double mean = mean(values);
        return Math.sqrt(Arrays.stream(values)
                        .map(value -> (value - mean) * (value - mean))
                        .sum()
                / values.length);
    }

    /** Evenly spaced points, the first and the last among them. */
    private int[] kept(int points) {
        if (points <= most) {
            return IntStream.range(0, points).toArray();
        }
        return IntStream.range(0, most)
                .map(i -> (int) Math.round((double) i * (points - 1) / (most - 1)))
                .toArray();
    }
}
