package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import org.pregrad.Selectivity;

/** {@code selectivity.csv}: one row per layer, call, cluster and neuron. */
public final class SelectivityCsv {
    public static final String FILE = "selectivity.csv";

    /** So many values are ranked at a time. */
    private static final int AT_ONCE = 1 << 27;

    private SelectivityCsv() {}

    /**
     * The activations of one layer call.
     *
     * @param values   of each sample, one per neuron
     * @param clusters of each sample
     */
    // Nobody compares them.
    @SuppressWarnings("ArrayRecordComponent")
    public record Activations(String layer, long call, List<double[]> values, long[] clusters) {}

    public static void writeHeader(Writer to) throws IOException {
        CsvRow.write(to, List.of("layer", "call", "cluster", "neuron", "auroc", "entropy"));
    }

    public static void write(Activations of, ClusterNames names, Writer to) throws IOException {
        int neurons = of.values().get(0).length;
        int most = Math.max(1, Math.min(neurons, AT_ONCE / of.clusters().length));
        for (int first = 0; first < neurons; first += most) {
            write(of, first, Math.min(most, neurons - first), names, to);
        }
    }

    private static void write(Activations of, int first, int count, ClusterNames names, Writer to) throws IOException {
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
