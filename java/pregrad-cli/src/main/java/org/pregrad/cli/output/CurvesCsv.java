package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;

/** {@code curves.csv}: one row per point of a removal curve. */
public final class CurvesCsv {
    public static final String FILE = "curves.csv";

    private static final List<String> HEADER = List.of(
            "layer",
            "call",
            "cluster",
            "method",
            "aggregate",
            "repeat",
            "removed",
            "accuracy",
            "mean_output",
            "cross_entropy",
            "outside_accuracy");

    private CurvesCsv() {}

    public static void write(List<RemovalCurve> curves, Writer to) throws IOException {
        CsvRow.write(to, HEADER);
        for (RemovalCurve curve : curves) {
            write(curve, to);
        }
    }

    private static void write(RemovalCurve curve, Writer to) throws IOException {
        RemovalOrder order = curve.order();
        String front = String.join(
                ",",
                CsvRow.quoted(order.layer()),
                Long.toString(order.call()),
                Long.toString(order.cluster()),
                order.method().id(),
                order.aggregate().id(),
                Integer.toString(order.repeat()));
        int[] removed = curve.removed();
        double[][] columns = {curve.accuracy(), curve.meanOutput(), curve.crossEntropy(), curve.outsideAccuracy()};
        StringBuilder row = new StringBuilder();
        for (int point = 0; point < removed.length; point++) {
            row.setLength(0);
            row.append(front).append(',').append(removed[point]);
            for (double[] column : columns) {
                row.append(',').append(Double.isNaN(column[point]) ? "" : Numbers.exact(column[point]));
            }
            to.append(row.append('\n'));
        }
    }
}
