package org.pregrad;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.Records;

/** How selective neurons are over clusters of samples. A plain value. */
public final class Selectivity {
    private final List<Long> clusters;
    private final double[] entropy;
    private final List<double[]> auroc;

    private Selectivity(List<Long> clusters, double[] entropy, List<double[]> auroc) {
        this.clusters = clusters;
        this.entropy = entropy;
        this.auroc = auroc;
    }

    /**
     * {@return the selectivity of values per sample, such as activations}
     *
     * @param values [samples, neurons], row-major, finite
     * @param neurons at least 1
     * @param clusters one per sample
     * @throws ArgumentException if there is no sample, the numbers do not fit each other, or a value is not finite
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static Selectivity of(double[] values, int neurons, long[] clusters) {
        Objects.requireNonNull(values, "values");
        Objects.requireNonNull(clusters, "clusters");
        Loader.load();
        Records records = new Records(Native.selectivity(values, neurons, clusters));
        List<Long> found = records.integers();
        double[] entropy = records.reals();
        List<double[]> auroc = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            auroc.add(records.reals());
        }
        return new Selectivity(found, entropy, auroc);
    }

    /** {@return the clusters, rising} */
    public List<Long> clusters() {
        return clusters;
    }

    /**
     * {@return per neuron −Σ w·ln w in nats, w_c = |m_c| / Σ|m|, m_c the mean of cluster c: 0 where the neuron speaks for one
     * cluster only, the logarithm of the number of clusters where it speaks for all alike, NaN where all means are 0; a copy}
     */
    public double[] entropy() {
        return entropy.clone();
    }

    /**
     * {@return per neuron the area under the receiver operating characteristic of the values, the cluster's samples against
     * all others: the probability that one of its samples has the larger value, ties counted by half; exact; NaN where there
     * are no others; a copy}
     *
     * @param cluster one of {@link #clusters()}
     * @throws ArgumentException if it is none
     */
    public double[] auroc(long cluster) {
        int place = clusters.indexOf(cluster);
        if (place < 0) {
            throw new ArgumentException("no sample is of cluster " + cluster + ": ask for one of " + clusters);
        }
        return auroc.get(place).clone();
    }
}
