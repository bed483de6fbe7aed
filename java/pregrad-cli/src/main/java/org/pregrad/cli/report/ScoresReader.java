package org.pregrad.cli.report;

import org.pregrad.cli.output.ClusterNames;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import org.pregrad.Aggregate;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.report.DirectoryFiles.Source;

/** Reads {@code scores.csv}. */
final class ScoresReader {
    static final String CANCELLATION = Aggregate.CANCELLATION.id();

    private final Source source;
    private final ClusterNames names;
    private final Map<LayerCall, LayerScores> layers = new LinkedHashMap<>();
    private final Set<Key> seen = new HashSet<>();

    /** @param position the file's text; empty for all positions together */
    private record Key(LayerCall layer, long cluster, String method, String position) {}

    /** The rows of one key so far. */
    private record Rows(Key key, long count, List<DoubleStream.Builder> columns) {}

    private ScoresReader(Source source, ClusterNames names) {
        this.source = source;
        this.names = names;
    }

    /** The scores of each call of a layer, in the file's order. */
    static List<LayerScores> read(Source source, ClusterNames names) {
        return source.read(text -> new ScoresReader(source, names).layers(text));
    }

    private List<LayerScores> layers(Reader text) throws IOException {
        CsvRows rows = new CsvRows(source, text);
        int layer = rows.column("layer");
        int call = rows.column("call");
        int cluster = rows.column("cluster");
        int method = rows.column("method");
        int position = rows.optionalColumn(ScoresCsv.POSITION);
        int neuron = rows.column("neuron");
        int count = rows.column("count");
        // The cancellation can be had without a column of its own.
        List<String> names = Arrays.stream(Aggregate.values())
                .map(Aggregate::id)
                .filter(name -> !name.equals(CANCELLATION) || rows.optionalColumn(name) >= 0)
                .toList();
        int[] columns = names.stream().mapToInt(rows::column).toArray();
        Rows open = null;
        int expected = 0;
        while (rows.next()) {
            Key key = new Key(
                    new LayerCall(rows.text(layer), rows.integer(call)),
                    rows.cluster(cluster, this.names),
                    rows.text(method),
                    position < 0 || rows.text(position).isEmpty() ? "" : Integer.toString(rows.index(position)));
            if (open == null || !open.key().equals(key)) {
                finish(open, names);
                open = new Rows(
                        key,
                        rows.integer(count),
                        names.stream().map(name -> DoubleStream.builder()).toList());
                expected = 0;
            }
            if (rows.index(neuron) != expected) {
                throw rows.damaged("has neuron " + rows.text(neuron) + " where " + expected + " should stand");
            }
            expected++;
            for (int column = 0; column < columns.length; column++) {
                open.columns().get(column).add(rows.number(columns[column]));
            }
        }
        finish(open, names);
        if (layers.isEmpty()) {
            throw source.damaged("it has no rows");
        }
        return new ArrayList<>(layers.values());
    }

    private void finish(Rows rows, List<String> names) {
        if (rows == null) {
            return;
        }
        Map<String, double[]> values = new LinkedHashMap<>();
        for (int column = 0; column < names.size(); column++) {
            values.put(names.get(column), rows.columns().get(column).build().toArray());
        }
        double[] mean = values.get(Aggregate.MEAN.id());
        values.computeIfAbsent(CANCELLATION, name -> cancellation(mean, values.get(Aggregate.MEAN_ABS.id())));
        Key key = rows.key();
        LayerScores layer = layers.computeIfAbsent(key.layer(), name -> new LayerScores(name, mean.length));
        String what = key.layer().label() + ", cluster " + key.cluster() + ", " + key.method()
                + (key.position().isEmpty() ? "" : ", position " + key.position());
        if (layer.neurons() != mean.length) {
            throw source.damaged(what + " has " + mean.length + " neurons where others have " + layer.neurons());
        }
        if (!seen.add(key)) {
            throw source.damaged(what + " stands there twice");
        }
        LayerScores.Columns all = new LayerScores.Columns(rows.count(), values);
        if (key.position().isEmpty()) {
            layer.add(key.cluster(), key.method(), all);
        } else {
            layer.addPosition(key.cluster(), key.method(), all);
        }
    }

    /** |mean| / mean_abs. */
    static double[] cancellation(double[] mean, double[] meanAbs) {
        double[] shares = new double[mean.length];
        for (int neuron = 0; neuron < shares.length; neuron++) {
            shares[neuron] = meanAbs[neuron] == 0 ? Double.NaN : Math.abs(mean[neuron]) / meanAbs[neuron];
        }
        return shares;
    }
}
