package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import org.pregrad.Explanation;

/**
 * {@code explain.csv}: for each sample, layer call and method the neurons of the largest magnitudes, the largest first, one
 * row each. Where positions have values of their own there is a column that numbers them, empty for what is of all of them
 * together.
 */
public final class ExplainCsv {
    public static final String FILE = "explain.csv";

    /** How many samples, and of each how many neurons, the terminal is shown. */
    private static final int SHOWN_ROWS = 20;

    private static final int SHOWN_NEURONS = 5;

    private final Writer to;
    private final int top;
    private final Table table = new Table("rll", List.of("sample", "layer and method", "strongest neurons"));
    private int rows;
    private boolean hasPositions;
    private boolean isBegun;

    /** @param top how many neurons there are of each sample, layer call and method at most */
    public ExplainCsv(Writer to, int top) {
        this.to = to;
        this.top = top;
    }

    /** A value of a sample; where it is in the sample's values says of whom it is. */
    private record Strength(int index, double value) {
        /** The stronger one first, of equal ones that which stands first. */
        static int compare(Strength left, Strength right) {
            int byMagnitude = Double.compare(Math.abs(right.value), Math.abs(left.value));
            return byMagnitude != 0 ? byMagnitude : Integer.compare(left.index, right.index);
        }
    }

    /**
     * Writes the samples of a batch.
     *
     * @param first the number of its first sample
     */
    public void write(long first, List<Explanation> batch) throws IOException {
        if (!isBegun) {
            isBegun = true;
            hasPositions = batch.stream().anyMatch(explanation -> explanation.positions() > 0);
            CsvRow.write(
                    to,
                    hasPositions
                            ? List.of("sample", "layer", "call", "method", ScoresCsv.POSITION, "neuron", "score")
                            : List.of("sample", "layer", "call", "method", "neuron", "score"));
        }
        int samples = batch.isEmpty() ? 0 : batch.get(0).samples();
        for (int sample = 0; sample < samples; sample++) {
            for (Explanation explanation : batch) {
                write(first + sample, explanation, strongest(explanation.of(sample)));
            }
        }
    }

    /** The first samples as a table for the terminal. */
    public String table() {
        int more = rows - SHOWN_ROWS;
        return table.render() + (more > 0 ? "... and " + more + " more rows, all in " + FILE + "\n" : "");
    }

    private void write(long sample, Explanation explanation, List<Strength> strongest) throws IOException {
        String front = sample + "," + CsvRow.cell(explanation.layer()) + "," + explanation.call() + ","
                + explanation.method().id() + ",";
        int neurons = explanation.neurons();
        for (Strength each : strongest) {
            String position = explanation.positions() > 0 ? Integer.toString(each.index / neurons) : "";
            to.append(front)
                    .append(hasPositions ? position + "," : "")
                    .append(Integer.toString(each.index % neurons))
                    .append(',')
                    .append(CsvRow.number(each.value))
                    .append('\n');
        }
        if (rows++ < SHOWN_ROWS) {
            table.add(List.of(
                    Long.toString(sample),
                    explanation.layer() + "@" + explanation.call() + " "
                            + explanation.method().id(),
                    shown(explanation, strongest)));
        }
    }

    private static String shown(Explanation explanation, List<Strength> strongest) {
        return String.join(
                "  ",
                strongest.stream()
                        .limit(SHOWN_NEURONS)
                        .map(each -> String.format(
                                Locale.ROOT,
                                "%d%s (%.3g)",
                                each.index % explanation.neurons(),
                                explanation.positions() > 0 ? " at " + each.index / explanation.neurons() : "",
                                each.value))
                        .toList());
    }

    private List<Strength> strongest(double[] values) {
        PriorityQueue<Strength> kept = new PriorityQueue<>(((Comparator<Strength>) Strength::compare).reversed());
        for (int i = 0; i < values.length; i++) {
            if (!Double.isNaN(values[i])) {
                kept.add(new Strength(i, values[i]));
                if (kept.size() > top) {
                    kept.poll();
                }
            }
        }
        List<Strength> strongest = new ArrayList<>(kept);
        strongest.sort(Strength::compare);
        return strongest;
    }
}
