package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.pregrad.Aggregate;
import org.pregrad.Score;
import org.pregrad.Scores;

/** {@code scores.csv}: one row per layer, call, cluster, method and neuron. */
public final class ScoresCsv {
    public static final String FILE = "scores.csv";

    private static final List<String> KEY = List.of("layer", "call", "cluster", "method", "neuron", "count");

    private ScoresCsv() {}

    public static void write(Scores scores, Writer to) throws IOException {
        CsvRow.write(
                to,
                Stream.concat(KEY.stream(), Arrays.stream(Aggregate.values()).map(Aggregate::id))
                        .toList());
        for (Score score : scores.all()) {
            write(score, to);
        }
    }

    private static void write(Score score, Writer to) throws IOException {
        String front = String.join(
                ",",
                CsvRow.cell(score.layer()),
                Long.toString(score.call()),
                Long.toString(score.cluster()),
                score.method().id());
        double[][] columns = Arrays.stream(Aggregate.values()).map(score::of).toArray(double[][]::new);
        StringBuilder row = new StringBuilder();
        for (int neuron = 0; neuron < score.neurons(); neuron++) {
            row.setLength(0);
            row.append(front).append(',').append(neuron).append(',').append(score.count());
            for (double[] column : columns) {
                row.append(',').append(Numbers.exact(column[neuron]));
            }
            to.append(row.append('\n'));
        }
    }
}
