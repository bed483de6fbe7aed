package org.pregrad.cli.data;

import java.util.ArrayList;
import java.util.List;
import org.pregrad.Attribution;
import org.pregrad.Explanation;
import org.pregrad.Method;
import org.pregrad.cli.errors.UserException;

/**
 * The activations of one layer call, averaged over its positions. All are in memory.
 *
 * @param values   of each sample, one per neuron
 * @param clusters of each sample
 */
// Nobody compares them.
@SuppressWarnings("ArrayRecordComponent")
public record LayerActivations(String layer, long call, List<double[]> values, long[] clusters) {
    /** A value is read as a double, and once more lies in the arrays of whoever computes with it. */
    private static final long BYTES_PER_VALUE = 16;

    /**
     * Those of all calls that the names stand for, of all samples, in one pass.
     *
     * @param builder of an attribution of the model, which knows the target
     * @throws UserException if they do not fit into half of the heap
     */
    public static List<LayerActivations> of(
            List<String> layers, Attribution.Builder builder, Dataset data, int batchSize) {
        List<LayerActivations> all = new ArrayList<>();
        long[] clusters = new long[Math.toIntExact(data.samples())];
        int filled = 0;
        try (Attribution attribution =
                builder.layers(layers).methods(Method.ACTIVATION).open()) {
            for (Batch batch = data.next(batchSize); batch != null; batch = data.next(batchSize)) {
                List<Explanation> calls = attribution.explain(batch.inputs(), batch.targets());
                if (all.isEmpty()) {
                    requireMemory(
                            data.samples(),
                            calls.stream().mapToInt(Explanation::neurons).sum());
                    calls.forEach(call ->
                            all.add(new LayerActivations(call.layer(), call.call(), new ArrayList<>(), clusters)));
                }
                for (int i = 0; i < all.size(); i++) {
                    for (int sample = 0; sample < batch.samples(); sample++) {
                        all.get(i).values().add(calls.get(i).of(sample));
                    }
                }
                if (batch.clusters() != null) {
                    System.arraycopy(batch.clusters(), 0, clusters, filled, batch.samples());
                }
                filled += batch.samples();
            }
        }
        return all;
    }

    /** The name with its call. */
    String id() {
        return layer + "@" + call;
    }

    /** @throws UserException if so many values do not fit into half of the heap */
    static void requireMemory(long samples, int each) {
        double needed = (double) samples * each * BYTES_PER_VALUE;
        double most = Runtime.getRuntime().maxMemory() / 2.0;
        if (needed > most) {
            throw new UserException(samples + " samples of " + each + " values take " + (long) (needed / 1e6)
                    + " MB, and half of the memory of Java is " + (long) (most / 1e6)
                    + " MB; give fewer samples, a smaller layer, or more memory by PREGRAD_JAVA_OPTIONS=-Xmx16g");
        }
    }
}
