package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.pregrad.Aggregate;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.report.DirectoryFiles.Source;

/** Reads {@code scores.csv}, row by row: of a row only what is shown stays. */
final class ScoresReader {
    private static final List<String> KEY = List.of("layer", "call", "cluster", "method");

    private final Source source;
    private final List<String> aggregates;
    private final Report.Part part;
    private final Map<LayerCall, LayerScores> layers = new LinkedHashMap<>();
    private final Set<Key> seen = new LinkedHashSet<>();

    /** @param position the file's text; empty for all positions together */
    private record Key(LayerCall layer, String cluster, String method, String position) {
        String label() {
            return layer.label() + ", cluster " + cluster + ", " + method
                    + (position.isEmpty() ? "" : ", position " + position);
        }
    }

    /** The rows of one key so far; {@code raw} are the key's fields as they stand in the file. */
    private static final class Rows {
        private final Key key;
        private final String[] raw;
        private final long count;
        private final double[][] columns;
        private int neurons;

        Rows(Key key, String[] raw, long count, int columns, int expected) {
            this.key = key;
            this.raw = raw;
            this.count = count;
            this.columns = new double[columns][Math.max(expected, 16)];
        }

        void add(CsvRows rows, int[] from, int optionalFrom) {
            for (int column = 0; column < from.length; column++) {
                if (neurons == columns[column].length) {
                    columns[column] = Arrays.copyOf(columns[column], 2 * neurons);
                }
                columns[column][neurons] =
                        column < optionalFrom ? rows.number(from[column]) : rows.optionalNumber(from[column]);
            }
            neurons++;
        }
    }

    private ScoresReader(Source source, List<String> aggregates, Report.Part part) {
        this.source = source;
        this.aggregates = aggregates;
        this.part = part;
    }

    /**
     * The scores of each call of a layer, in the file's order.
     *
     * @param aggregates those that neurons are ranked by
     * @param part       what is wanted of them
     */
    static List<LayerScores> read(Source source, List<String> aggregates, Report.Part part) {
        return source.read(text -> new ScoresReader(source, aggregates, part).layers(text));
    }

    private List<LayerScores> layers(Reader text) throws IOException {
        CsvRows rows = new CsvRows(source, text);
        int[] key = KEY.stream().mapToInt(rows::column).toArray();
        int position = rows.optionalColumn(ScoresCsv.POSITION);
        int neuron = rows.column("neuron");
        int count = rows.column("count");
        // The cancellation is made of two others.
        List<String> needed = Arrays.stream(Aggregate.values())
                .filter(aggregate -> aggregate != Aggregate.CANCELLATION)
                .map(Aggregate::id)
                .toList();
        List<String> compared = LayerScores.COMPARED.stream()
                .filter(name -> rows.optionalColumn(name) >= 0)
                .toList();
        List<String> names = Stream.concat(needed.stream(), compared.stream()).toList();
        int[] columns = names.stream().mapToInt(rows::column).toArray();
        Rows open = null;
        String[] raw = new String[KEY.size() + 1];
        raw[KEY.size()] = "";
        int neurons = 0;
        while (rows.next()) {
            for (int i = 0; i < key.length; i++) {
                raw[i] = rows.raw(key[i]);
            }
            if (position >= 0) {
                raw[KEY.size()] = rows.raw(position);
            }
            if (open == null || !Arrays.equals(open.raw, raw)) {
                neurons = open == null ? 0 : open.neurons;
                finish(open, names);
                Key opened = new Key(
                        new LayerCall(rows.text(key[0]), rows.integer(key[1])),
                        rows.text(key[2]),
                        rows.text(key[3]),
                        raw[KEY.size()].isEmpty() ? "" : Integer.toString(rows.index(position)));
                open = new Rows(opened, raw.clone(), rows.integer(count), names.size(), neurons);
            }
            if (rows.index(neuron) != open.neurons) {
                throw rows.damaged("has neuron " + rows.text(neuron) + " where " + open.neurons + " should stand");
            }
            open.add(rows, columns, needed.size());
        }
        finish(open, names);
        layers.values().forEach(LayerScores::close);
        if (seen.isEmpty()) {
            throw source.damaged("it has no rows");
        }
        part.requireIn(
                seen.stream().map(Key::layer).distinct().toList(),
                seen.stream().map(Key::cluster).distinct().toList(),
                seen.stream().map(Key::method).distinct().toList());
        return new ArrayList<>(layers.values());
    }

    private void finish(Rows rows, List<String> names) {
        if (rows == null) {
            return;
        }
        Key key = rows.key;
        if (!seen.add(key)) {
            throw source.damaged(key.label() + " stands there twice");
        }
        if (!part.has(key.layer(), key.cluster(), key.method())) {
            return;
        }
        Map<String, double[]> values = new LinkedHashMap<>();
        for (int column = 0; column < names.size(); column++) {
            values.put(names.get(column), Arrays.copyOf(rows.columns[column], rows.neurons));
        }
        LayerScores layer =
                layers.computeIfAbsent(key.layer(), name -> new LayerScores(name, rows.neurons, aggregates));
        if (layer.neurons() != rows.neurons) {
            throw source.damaged(
                    key.label() + " has " + rows.neurons + " neurons where others have " + layer.neurons());
        }
        if (key.position().isEmpty()) {
            layer.add(key.cluster(), key.method(), rows.count, values);
        } else {
            layer.addPosition(key.cluster(), key.method(), rows.count, values);
        }
    }
}
