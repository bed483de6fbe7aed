package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.stream.Stream;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;

/** {@code curves.csv}: one row per point of a removal curve. */
public final class CurvesCsv {
    public static final String FILE = "curves.csv";

    /** The measured quantities. */
    public static final List<String> METRICS = List.of("accuracy", "mean_output", "cross_entropy", "outside_accuracy");

    private static final List<String> KEY =
            List.of("layer", "call", "cluster", "method", "aggregate", "repeat", "removed");

    private CurvesCsv() {}

    public static void write(List<RemovalCurve> curves, Writer to) throws IOException {
        CsvRow.write(to, Stream.concat(KEY.stream(), METRICS.stream()).toList());
        for (RemovalCurve curve : curves) {
            write(curve, to);
        }
    }

    /** One array per metric, one number per point; NaN where it was not measured. */
    public static List<double[]> values(RemovalCurve curve) {
        return List.of(curve.accuracy(), curve.meanOutput(), curve.crossEntropy(), curve.outsideAccuracy());
    }

    private static void write(RemovalCurve curve, Writer to) throws IOException {
        RemovalOrder order = curve.order();
        String front = String.join(
                ",",
                CsvRow.cell(order.layer()),
                Long.toString(order.call()),
                Long.toString(order.cluster()),
                order.method().id(),
                order.aggregate().id(),
                Integer.toString(order.repeat()));
        int[] removed = curve.removed();
        List<double[]> columns = values(curve);
        StringBuilder row = new StringBuilder();
        for (int point = 0; point < removed.length; point++) {
            row.setLength(0);
            row.append(front).append(',').append(removed[point]);
            for (double[] column : columns) {
                row.append(',').append(Double.isNaN(column[point]) ? "" : CsvRow.number(column[point]));
            }
            to.append(row.append('\n'));
        }
    }
}
