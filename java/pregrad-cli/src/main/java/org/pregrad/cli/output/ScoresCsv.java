package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.pregrad.Aggregate;
import org.pregrad.Difference;
import org.pregrad.Method;
import org.pregrad.Score;
import org.pregrad.Scores;

/**
 * {@code scores.csv}: one row per layer, call, cluster, method and neuron. Where positions have scores of their own there
 * is a row per position too, and a column that numbers them; it is empty for what is of all of them together. Standard
 * errors and the differences from a cluster have columns where they are asked for.
 */
public final class ScoresCsv {
    public static final String FILE = "scores.csv";

    /** The column of positions; without any it is not there. */
    public static final String POSITION = "position";

    private static final List<String> GROUP = List.of("layer", "call", "cluster", "method");
    private static final List<String> VALUE = List.of("neuron", "count");
    private static final String STANDARD_ERROR = "standard_error";
    private static final List<String> DIFFERENCE = List.of("difference", "low", "high", "q");

    /**
     * What is written beside the aggregates.
     *
     * @param standardErrors whether that of the mean is
     * @param differences    from a cluster, which itself has none; null where none are asked for
     */
    public record Extras(boolean standardErrors, List<Difference> differences, ClusterNames clusters) {
        /** Nothing, of clusters without names. */
        public static final Extras NONE = new Extras(false, null, new ClusterNames());
    }

    private record Key(String layer, long call, long cluster, Method method, OptionalLong position) {}

    private ScoresCsv() {}

    public static void write(Scores scores, Writer to) throws IOException {
        write(scores, Extras.NONE, to);
    }

    public static void write(Scores scores, Extras extras, Writer to) throws IOException {
        Map<Key, Difference> differences = new HashMap<>();
        if (extras.differences() != null) {
            extras.differences()
                    .forEach(each -> differences.put(
                            new Key(each.layer(), each.call(), each.cluster(), each.method(), each.position()), each));
        }
        boolean hasPositions =
                scores.all().stream().anyMatch(score -> score.position().isPresent());
        CsvRow.write(
                to,
                Stream.of(
                                GROUP.stream(),
                                hasPositions ? Stream.of(POSITION) : Stream.<String>empty(),
                                VALUE.stream(),
                                Arrays.stream(Aggregate.values()).map(Aggregate::id),
                                extras.standardErrors() ? Stream.of(STANDARD_ERROR) : Stream.<String>empty(),
                                extras.differences() != null ? DIFFERENCE.stream() : Stream.<String>empty())
                        .flatMap(Function.identity())
                        .toList());
        for (Score score : scores.all()) {
            Key key = new Key(score.layer(), score.call(), score.cluster(), score.method(), score.position());
            write(score, hasPositions, extras, differences.get(key), to);
        }
    }

    private static void write(Score score, boolean hasPositions, Extras extras, Difference difference, Writer to)
            throws IOException {
        String group = String.join(
                ",",
                CsvRow.cell(score.layer()),
                Long.toString(score.call()),
                CsvRow.cell(extras.clusters().name(score.cluster())),
                score.method().id());
        String position =
                score.position().isPresent() ? Long.toString(score.position().getAsLong()) : "";
        String front = hasPositions ? group + "," + position : group;
        double[][] columns = Arrays.stream(Aggregate.values()).map(score::of).toArray(double[][]::new);
        List<double[]> more = new ArrayList<>();
        if (extras.standardErrors()) {
            more.add(score.standardError(Aggregate.MEAN));
        }
        if (difference != null) {
            more.addAll(List.of(difference.difference(), difference.low(), difference.high(), difference.q()));
        }
        String rest = extras.differences() != null && difference == null ? ",".repeat(DIFFERENCE.size()) : "";
        StringBuilder row = new StringBuilder();
        for (int neuron = 0; neuron < score.neurons(); neuron++) {
            row.setLength(0);
            row.append(front).append(',').append(neuron).append(',').append(score.count());
            for (double[] column : columns) {
                row.append(',').append(CsvRow.number(column[neuron]));
            }
            for (double[] column : more) {
                row.append(',').append(Double.isNaN(column[neuron]) ? "" : CsvRow.number(column[neuron]));
            }
            to.append(row.append(rest).append('\n'));
        }
    }
}
