package org.pregrad;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.pregrad.internal.Calls;
import org.pregrad.internal.Records;
import org.pregrad.internal.Text;

/** Makes Java values of what native code gives back. */
final class Decoder {
    private static final Method[] METHODS = Method.values();
    private static final Aggregate[] AGGREGATES = Aggregate.values();

    private Decoder() {}

    static List<Layer> layers(byte[] bytes) {
        Records records = new Records(bytes);
        List<Layer> layers = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            layers.add(new Layer(
                    records.text(),
                    records.integer(),
                    records.text(),
                    records.integer() != 0,
                    records.integer(),
                    records.integer(),
                    records.integers(),
                    records.text(),
                    records.text()));
        }
        return List.copyOf(layers);
    }

    static List<ModelInput> inputs(byte[] bytes) {
        Records records = new Records(bytes);
        List<ModelInput> inputs = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            inputs.add(new ModelInput(records.text(), records.text(), records.integers(), records.integer() != 0));
        }
        return List.copyOf(inputs);
    }

    /** A shape and its values. */
    static Outputs output(Object[] shapeAndValues) {
        return new Outputs((long[]) shapeAndValues[0], shapeAndValues[1]);
    }

    /** Names, and behind them an output for each. */
    static Map<String, Outputs> outputs(Object[] namesAndOutputs) {
        List<String> names = Text.names((byte[]) namesAndOutputs[0]);
        Map<String, Outputs> outputs = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            outputs.put(names.get(i), output((Object[]) namesAndOutputs[i + 1]));
        }
        return Collections.unmodifiableMap(outputs);
    }

    static List<RemovalOrder> orders(byte[] bytes) {
        Records records = new Records(bytes);
        List<RemovalOrder> orders = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            orders.add(order(records));
        }
        return List.copyOf(orders);
    }

    static List<RemovalCurve> curves(byte[] bytes) {
        Records records = new Records(bytes);
        List<RemovalCurve> curves = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            curves.add(new RemovalCurve(
                    order(records),
                    records.integer(),
                    records.integer(),
                    records.counts(),
                    records.reals(),
                    records.reals(),
                    records.reals(),
                    records.reals(),
                    records.real(),
                    records.real()));
        }
        return List.copyOf(curves);
    }

    static List<LayerCheck> checks(byte[] bytes) {
        Records records = new Records(bytes);
        List<LayerCheck> checks = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            checks.add(new LayerCheck(
                    records.text(),
                    records.integer(),
                    records.text(),
                    records.integer() != 0,
                    records.integer(),
                    records.integer(),
                    records.integer(),
                    records.integer(),
                    records.real(),
                    records.real(),
                    records.integer() != 0,
                    records.real(),
                    records.real(),
                    records.real()));
        }
        return List.copyOf(checks);
    }

    /** What the values are of, and all of them one after the other. */
    static List<Explanation> explanations(Object[] packed) {
        Records records = new Records((byte[]) packed[0]);
        double[] values = (double[]) packed[1];
        int size = Math.toIntExact(records.integer());
        List<Explanation> explanations = new ArrayList<>(size);
        int begin = 0;
        for (int i = 0; i < size; i++) {
            String layer = records.text();
            long call = records.integer();
            Method method = METHODS[(int) records.integer()];
            int samples = (int) records.integer();
            int neurons = (int) records.integer();
            int positions = (int) records.integer();
            int end = begin + samples * Math.max(1, positions) * neurons;
            explanations.add(new Explanation(
                    layer, call, method, samples, neurons, positions, Arrays.copyOfRange(values, begin, end)));
            begin = end;
        }
        return Collections.unmodifiableList(explanations);
    }

    static List<Example> examples(byte[] bytes) {
        Records records = new Records(bytes);
        int size = Math.toIntExact(records.integer());
        List<Example> examples = new ArrayList<>(size);
        String layer = "";
        for (int i = 0; i < size; i++) {
            // The name stands where it changes.
            layer = records.integer() != 0 ? records.text() : layer;
            examples.add(new Example(
                    layer,
                    records.integer(),
                    records.integer(),
                    METHODS[(int) records.integer()],
                    (int) records.integer(),
                    (int) records.integer(),
                    records.integer(),
                    records.integer(),
                    records.real()));
        }
        return Collections.unmodifiableList(examples);
    }

    static PruningResult pruning(byte[] bytes) {
        Records records = new Records(bytes);
        long samples = records.integer();
        List<PrunedNeurons> neurons = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            neurons.add(new PrunedNeurons(
                    records.text(), records.integer(), records.counts(), Math.toIntExact(records.integer())));
        }
        String open = records.text();
        List<WeightCut> cuts = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            cuts.add(new WeightCut(
                    records.text(),
                    Math.toIntExact(records.integer()),
                    records.counts(),
                    records.integers(),
                    records.integers()));
        }
        return new PruningResult(
                samples,
                List.copyOf(neurons),
                open,
                List.copyOf(cuts),
                records.real(),
                records.real(),
                records.real(),
                records.real(),
                records.integer(),
                records.integer(),
                records.integer(),
                records.integer());
    }

    private static RemovalOrder order(Records records) {
        return new RemovalOrder(
                records.text(),
                records.integer(),
                records.integer(),
                METHODS[(int) records.integer()],
                AGGREGATES[(int) records.integer()],
                (int) records.integer(),
                records.counts(),
                records.integer() != 0);
    }

    static List<Difference> differences(byte[] bytes) {
        Records records = new Records(bytes);
        List<Difference> differences = new ArrayList<>();
        for (long left = records.integer(); left > 0; left--) {
            String layer = records.text();
            long call = records.integer();
            long cluster = records.integer();
            long against = records.integer();
            Method method = METHODS[(int) records.integer()];
            Aggregate aggregate = AGGREGATES[(int) records.integer()];
            long position = records.integer();
            double[][] values = new double[Difference.VALUES][];
            for (int i = 0; i < values.length; i++) {
                values[i] = records.reals();
            }
            differences.add(new Difference(
                    layer,
                    call,
                    cluster,
                    against,
                    method,
                    aggregate,
                    position < 0 ? OptionalLong.empty() : OptionalLong.of(position),
                    values));
        }
        return List.copyOf(differences);
    }

    /** Takes the snapshot over and gives it back to native code. */
    static Scores scores(Calls calls, long snapshot) {
        try {
            Records records = new Records(calls.scoresIndex(snapshot));
            List<Score> entries = new ArrayList<>();
            int size = Math.toIntExact(records.integer());
            double[][][] all = new double[size][][];
            for (int i = 0; i < size; i++) {
                String layer = records.text();
                long call = records.integer();
                long cluster = records.integer();
                Method method = METHODS[(int) records.integer()];
                long count = records.integer();
                double completenessError = records.real();
                long position = records.integer();
                double[][] values = new double[Score.STORED][Math.toIntExact(records.integer())];
                all[i] = values;
                entries.add(new Score(
                        layer,
                        call,
                        cluster,
                        method,
                        count,
                        values,
                        completenessError,
                        position < 0 ? OptionalLong.empty() : OptionalLong.of(position)));
            }
            Map<String, List<Scores.Call>> names = new HashMap<>();
            for (long left = records.integer(); left > 0; left--) {
                String name = records.text();
                List<Scores.Call> ofName = new ArrayList<>();
                for (long calling = records.integer(); calling > 0; calling--) {
                    ofName.add(new Scores.Call(records.text(), records.integer()));
                }
                names.put(name, List.copyOf(ofName));
            }
            calls.scoresValues(snapshot, all);
            return new Scores(entries, names);
        } finally {
            calls.release(snapshot);
        }
    }
}
