package org.pregrad;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.internal.Native;
import org.pregrad.internal.Records;

/** Makes Java values of what native code gives back. */
final class Decoder {
    private static final Method[] METHODS = Method.values();

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
                    records.text()));
        }
        return List.copyOf(layers);
    }

    /** Takes the snapshot over and gives it back to native code. */
    static Scores scores(long snapshot) {
        try {
            Records records = new Records(Native.scoresIndex(snapshot));
            List<Score> entries = new ArrayList<>();
            int size = Math.toIntExact(records.integer());
            for (int i = 0; i < size; i++) {
                String layer = records.text();
                long call = records.integer();
                long cluster = records.integer();
                Method method = METHODS[(int) records.integer()];
                long count = records.integer();
                double[][] values = new double[Aggregate.values().length][Math.toIntExact(records.integer())];
                Native.scoresValues(snapshot, i, values[0], values[1], values[2], values[3]);
                entries.add(new Score(layer, call, cluster, method, count, values));
            }
            Map<String, List<Scores.Call>> names = new HashMap<>();
            for (long left = records.integer(); left > 0; left--) {
                String name = records.text();
                List<Scores.Call> calls = new ArrayList<>();
                for (long calling = records.integer(); calling > 0; calling--) {
                    calls.add(new Scores.Call(records.text(), records.integer()));
                }
                names.put(name, List.copyOf(calls));
            }
            return new Scores(entries, names);
        } finally {
            Native.release(snapshot);
        }
    }
}
