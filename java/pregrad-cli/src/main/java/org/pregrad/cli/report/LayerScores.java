package org.pregrad.cli.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pregrad.Aggregate;

/** All scores of one call of a layer. */
final class LayerScores {
    /** What compares a cluster with another one, in files that have it. */
    static final List<String> COMPARED = List.of("difference", "low", "high", "q");

    /** So many first neurons of each ranking are found. */
    private static final int FIRST = 32;

    private static final Map<String, String> ERRORS =
            Map.of(Aggregate.MEAN.id(), "mean_error", Aggregate.MEAN_ABS.id(), "mean_abs_error");

    /**
     * The scores of one method for one cluster.
     *
     * @param count        samples
     * @param values       one number per neuron, by {@link LayerScores#columns}
     * @param first        the first neurons of each ranking, by aggregate
     * @param cancellation over the neurons; null if none has one
     */
    record Columns(long count, Map<String, float[]> values, Map<String, int[]> first, PageData.Spread cancellation) {

        /**
         * @param aggregates those that neurons are ranked by
         * @param from       by the name of the file's column, one number per neuron
         * @param errors     whether the numbers are of single samples, so that their means have standard errors
         */
        static Columns of(
                String method, long count, Map<String, double[]> from, List<String> aggregates, boolean errors) {
            Map<String, float[]> values = new LinkedHashMap<>();
            Map<String, int[]> first = new LinkedHashMap<>();
            double[] cancellation = cancellation(from);
            for (String aggregate : aggregates) {
                double[] column = aggregate.equals(Aggregate.CANCELLATION.id()) ? cancellation : from.get(aggregate);
                values.put(aggregate, floats(column));
                first.put(aggregate, Neurons.highest(column, FIRST));
                if (errors && ERRORS.containsKey(aggregate)) {
                    values.put(ERRORS.get(aggregate), floats(errors(aggregate, count, from)));
                }
            }
            for (String compared : COMPARED) {
                if (from.containsKey(compared)) {
                    values.put(compared, floats(from.get(compared)));
                }
            }
            return new Columns(count, values, first, PageData.Spread.of(method, cancellation));
        }

        /** s / √n, where s² = n·std²/(n − 1) estimates the variance of the population. */
        private static double[] errors(String aggregate, long count, Map<String, double[]> from) {
            double[] std = from.get(Aggregate.STD.id());
            double[] rms = from.get(Aggregate.RMS.id());
            double[] center = from.get(aggregate);
            double[] errors = new double[center.length];
            boolean signed = aggregate.equals(Aggregate.MEAN.id());
            for (int neuron = 0; neuron < errors.length; neuron++) {
                double deviation = signed
                        ? std[neuron]
                        : Math.sqrt(Math.max(0, (rms[neuron] - center[neuron]) * (rms[neuron] + center[neuron])));
                errors[neuron] = count < 2 ? Double.NaN : deviation / Math.sqrt(count - 1.0);
            }
            return errors;
        }

        /** |mean| / mean_abs. */
        private static double[] cancellation(Map<String, double[]> from) {
            double[] mean = from.get(Aggregate.MEAN.id());
            double[] meanAbs = from.get(Aggregate.MEAN_ABS.id());
            double[] shares = new double[mean.length];
            for (int neuron = 0; neuron < shares.length; neuron++) {
                shares[neuron] = meanAbs[neuron] == 0 ? Double.NaN : Math.abs(mean[neuron]) / meanAbs[neuron];
            }
            return shares;
        }

        private static float[] floats(double[] values) {
            float[] floats = new float[values.length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = (float) values[i];
            }
            return floats;
        }
    }

    /** Sums over positions of the scores of one method for one cluster; {@code weight} counts samples at all of them. */
    private static final class Positions {
        private final Map<String, double[]> means = new LinkedHashMap<>();
        private long count;
        private long weight;

        void add(long samples, Map<String, double[]> columns) {
            weight += samples;
            count = Math.max(count, samples);
            double share = weight == 0 ? 1 : (double) samples / weight;
            columns.forEach((name, values) -> {
                if (COMPARED.contains(name)) {
                    return;
                }
                if (!means.containsKey(name)) {
                    means.put(name, values.clone());
                    return;
                }
                double[] mean = means.get(name);
                for (int neuron = 0; neuron < mean.length; neuron++) {
                    mean[neuron] += share * (values[neuron] - mean[neuron]);
                }
            });
        }
    }

    private final LayerCall layer;
    private final int neurons;
    private final List<String> aggregates;
    private final Map<String, Map<String, Columns>> clusters = new LinkedHashMap<>();
    private final Set<String> methods = new LinkedHashSet<>();
    /** By cluster and method. */
    private final Map<List<String>, Positions> positions = new LinkedHashMap<>();

    private boolean hasPositions;

    /** @param aggregates those that neurons are ranked by */
    LayerScores(LayerCall layer, int neurons, List<String> aggregates) {
        this.layer = layer;
        this.neurons = neurons;
        this.aggregates = aggregates;
    }

    LayerCall layer() {
        return layer;
    }

    int neurons() {
        return neurons;
    }

    List<String> clusters() {
        return List.copyOf(clusters.keySet());
    }

    List<String> methods() {
        return List.copyOf(methods);
    }

    /** Null if this cluster has no scores of this method. */
    Columns of(String cluster, String method) {
        return clusters.getOrDefault(cluster, Map.of()).get(method);
    }

    /** The names of all columns: the ranked aggregates, each followed by its standard error if it has one. */
    List<String> columns() {
        Set<String> names = new LinkedHashSet<>();
        clusters.values().forEach(scores -> scores.values()
                .forEach(columns -> names.addAll(columns.values().keySet())));
        return List.copyOf(names);
    }

    /** Those that belong to an aggregate: itself, its standard error, and what compares it with another cluster. */
    List<String> columnsOf(String aggregate) {
        List<String> wanted = new ArrayList<>(List.of(aggregate));
        wanted.addAll(COMPARED);
        if (ERRORS.containsKey(aggregate)) {
            wanted.add(ERRORS.get(aggregate));
        }
        return columns().stream().filter(wanted::contains).toList();
    }

    /** Samples of the cluster. */
    long count(String cluster) {
        return clusters.get(cluster).values().iterator().next().count();
    }

    /** Whether single positions had scores of their own. */
    boolean hasPositions() {
        return hasPositions;
    }

    /** @param columns by the name of the file's column */
    void add(String cluster, String method, long count, Map<String, double[]> columns) {
        put(cluster, method, Columns.of(method, count, columns, aggregates, true));
    }

    /**
     * Adds the scores at one more position. What is shown of a neuron is its mean over the positions, each weighed with the
     * samples for which it counts; its cancellation is that of these means, and a standard error it has not.
     */
    void addPosition(String cluster, String method, long count, Map<String, double[]> columns) {
        hasPositions = true;
        put(cluster, method, null);
        positions
                .computeIfAbsent(List.of(cluster, method), key -> new Positions())
                .add(count, columns);
    }

    /** Call it when all was added. */
    void close() {
        positions.forEach((key, sums) ->
                put(key.get(0), key.get(1), Columns.of(key.get(1), sums.count, sums.means, aggregates, false)));
        positions.clear();
    }

    private void put(String cluster, String method, Columns columns) {
        methods.add(method);
        clusters.computeIfAbsent(cluster, key -> new LinkedHashMap<>()).put(method, columns);
    }
}
