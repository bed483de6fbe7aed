package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;

/**
 * {@code curves.csv}: one row per point of a removal curve. Where neurons were kept too, a column says which curve it is.
 */
public final class CurvesCsv {
    public static final String FILE = "curves.csv";

    /** The column that tells curves of kept neurons from others; without any it is not there. */
    public static final String CURVE = "curve";

    public static final String KEEP = "keep";
    public static final String REMOVE = "remove";

    /** The measured quantities. */
    public static final List<String> METRICS = List.of("accuracy", "mean_output", "cross_entropy", "outside_accuracy");

    private static final List<String> KEY = List.of("layer", "call", "cluster", "method", "aggregate", "repeat");
    private static final String REMOVED = "removed";

    private CurvesCsv() {}

    public static void write(List<RemovalCurve> curves, ClusterNames clusters, Writer to) throws IOException {
        boolean anyKept = curves.stream().anyMatch(curve -> curve.order().keep());
        CsvRow.write(
                to,
                Stream.of(
                                KEY.stream(),
                                anyKept ? Stream.of(CURVE) : Stream.<String>empty(),
                                Stream.of(REMOVED),
                                METRICS.stream())
                        .flatMap(Function.identity())
                        .toList());
        for (RemovalCurve curve : curves) {
            write(curve, anyKept, clusters, to);
        }
    }

    /** One array per metric, one number per point; NaN where it was not measured. */
    public static List<double[]> values(RemovalCurve curve) {
        return List.of(curve.accuracy(), curve.meanOutput(), curve.crossEntropy(), curve.outsideAccuracy());
    }

    private static void write(RemovalCurve curve, boolean anyKept, ClusterNames clusters, Writer to)
            throws IOException {
        RemovalOrder order = curve.order();
        String front = String.join(
                ",",
                CsvRow.cell(order.layer()),
                Long.toString(order.call()),
                CsvRow.cell(clusters.name(order.cluster())),
                order.method().id(),
                order.aggregate().id(),
                Integer.toString(order.repeat()) + (anyKept ? "," + (order.keep() ? KEEP : REMOVE) : ""));
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
