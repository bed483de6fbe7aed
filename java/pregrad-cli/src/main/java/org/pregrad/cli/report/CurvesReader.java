package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.pregrad.cli.output.CurvesCsv;
import org.pregrad.cli.report.DirectoryFiles.Source;

/** Reads {@code curves.csv}. */
final class CurvesReader {
    private final Source source;
    private final Report.Part part;
    private final Map<PanelKey, Curves> panels = new LinkedHashMap<>();

    private record Key(PanelKey panel, String method, String aggregate, long repeat, boolean keep) {}

    /** The points of one curve so far. */
    private record Points(Key key, IntStream.Builder removed, List<DoubleStream.Builder> values) {}

    private CurvesReader(Source source, Report.Part part) {
        this.source = source;
        this.part = part;
    }

    /** The curves of each layer call and cluster. */
    static Map<PanelKey, Curves> read(Source source, Report.Part part) {
        return source.read(text -> new CurvesReader(source, part).panels(text));
    }

    private Map<PanelKey, Curves> panels(Reader text) throws IOException {
        CsvRows rows = new CsvRows(source, text);
        int layer = rows.column("layer");
        int call = rows.column("call");
        int cluster = rows.column("cluster");
        int method = rows.column("method");
        int aggregate = rows.column("aggregate");
        int repeat = rows.column("repeat");
        int curve = rows.optionalColumn("curve");
        int removed = rows.column("removed");
        int[] metrics = CurvesCsv.METRICS.stream().mapToInt(rows::column).toArray();
        Points open = null;
        while (rows.next()) {
            Key key = new Key(
                    new PanelKey(new LayerCall(rows.text(layer), rows.integer(call)), rows.text(cluster)),
                    rows.text(method),
                    rows.text(aggregate),
                    rows.integer(repeat),
                    curve >= 0 && rows.text(curve).equals("keep"));
            if (open == null || !open.key().equals(key)) {
                finish(open);
                open = new Points(
                        key,
                        IntStream.builder(),
                        CurvesCsv.METRICS.stream()
                                .map(name -> DoubleStream.builder())
                                .toList());
            }
            open.removed().add(rows.index(removed));
            for (int metric = 0; metric < metrics.length; metric++) {
                open.values().get(metric).add(rows.optionalNumber(metrics[metric]));
            }
        }
        finish(open);
        return panels;
    }

    private void finish(Points points) {
        if (points == null || !part.hasCurve(points.key().panel(), points.key().method())) {
            return;
        }
        Key key = points.key();
        int[] removed = points.removed().build().toArray();
        Curves panel = panels.computeIfAbsent(key.panel(), name -> new Curves(removed, new ArrayList<>()));
        if (!Arrays.equals(panel.removed(), removed)) {
            throw source.damaged("the curve " + key.method() + " " + key.aggregate() + " of "
                    + key.panel().label() + " has other points than the first curve there");
        }
        panel.curves()
                .add(new Curves.Curve(
                        key.method(),
                        key.aggregate(),
                        key.keep(),
                        points.values().stream()
                                .map(values -> values.build().toArray())
                                .toList()));
    }
}
