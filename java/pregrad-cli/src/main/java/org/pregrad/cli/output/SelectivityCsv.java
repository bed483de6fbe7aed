package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import org.pregrad.Selectivity;
import org.pregrad.cli.data.LayerActivations;

/** {@code selectivity.csv}: one row per layer, call, cluster and neuron. */
public final class SelectivityCsv {
    public static final String FILE = "selectivity.csv";

    /** So many values are ranked at a time. */
    private static final int AT_ONCE = 1 << 27;

    private SelectivityCsv() {}

    public static void writeHeader(Writer to) throws IOException {
        CsvRow.write(to, List.of("layer", "call", "cluster", "neuron", "auroc", "entropy"));
    }

    public static void write(LayerActivations of, ClusterNames names, Writer to) throws IOException {
        int neurons = of.values().get(0).length;
        int most = Math.max(1, Math.min(neurons, AT_ONCE / of.clusters().length));
        for (int first = 0; first < neurons; first += most) {
            write(of, first, Math.min(most, neurons - first), names, to);
        }
    }

    private static void write(LayerActivations of, int first, int count, ClusterNames names, Writer to)
            throws IOException {
        int samples = of.clusters().length;
        double[] values = new double[samples * count];
        for (int sample = 0; sample < samples; sample++) {
            System.arraycopy(of.values().get(sample), first, values, sample * count, count);
        }
        Selectivity selectivity = Selectivity.of(values, count, of.clusters());
        double[] entropy = selectivity.entropy();
        for (long cluster : selectivity.clusters()) {
            double[] auroc = selectivity.auroc(cluster);
            for (int neuron = 0; neuron < count; neuron++) {
                to.append(String.join(
                        ",",
                        CsvRow.cell(of.layer()),
                        Long.toString(of.call()),
                        CsvRow.cell(names.name(cluster)),
                        Integer.toString(first + neuron),
                        number(auroc[neuron]),
                        number(entropy[neuron])));
                to.append('\n');
            }
        }
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : CsvRow.number(value);
    }
}
