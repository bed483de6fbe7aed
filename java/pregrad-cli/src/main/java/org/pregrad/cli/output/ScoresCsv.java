package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.pregrad.Aggregate;
import org.pregrad.Score;
import org.pregrad.Scores;

/**
 * {@code scores.csv}: one row per layer, call, cluster, method and neuron. Where positions have scores of their own there
 * is a row per position too, and a column that numbers them; it is empty for what is of all of them together.
 */
public final class ScoresCsv {
    public static final String FILE = "scores.csv";

    /** The column of positions; without any it is not there. */
    public static final String POSITION = "position";

    private static final List<String> GROUP = List.of("layer", "call", "cluster", "method");
    private static final List<String> VALUE = List.of("neuron", "count");

    private ScoresCsv() {}

    public static void write(Scores scores, Writer to) throws IOException {
        boolean hasPositions =
                scores.all().stream().anyMatch(score -> score.position().isPresent());
        CsvRow.write(
                to,
                Stream.of(
                                GROUP.stream(),
                                hasPositions ? Stream.of(POSITION) : Stream.<String>empty(),
                                VALUE.stream(),
                                Arrays.stream(Aggregate.values()).map(Aggregate::id))
                        .flatMap(Function.identity())
                        .toList());
        for (Score score : scores.all()) {
            write(score, hasPositions, to);
        }
    }

    private static void write(Score score, boolean hasPositions, Writer to) throws IOException {
        String group = String.join(
                ",",
                CsvRow.cell(score.layer()),
                Long.toString(score.call()),
                Long.toString(score.cluster()),
                score.method().id());
        String position =
                score.position().isPresent() ? Long.toString(score.position().getAsLong()) : "";
        String front = hasPositions ? group + "," + position : group;
        double[][] columns = Arrays.stream(Aggregate.values()).map(score::of).toArray(double[][]::new);
        StringBuilder row = new StringBuilder();
        for (int neuron = 0; neuron < score.neurons(); neuron++) {
            row.setLength(0);
            row.append(front).append(',').append(neuron).append(',').append(score.count());
            for (double[] column : columns) {
                row.append(',').append(CsvRow.number(column[neuron]));
            }
            to.append(row.append('\n'));
        }
    }
}
