package org.pregrad.cli.report;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Which neurons are shown, and in what order. */
final class Neurons {
    private Neurons() {}

    /** Those with the highest values, highest first, ties by index; neurons without a value are left out. */
    static int[] highest(double[] values, int most) {
        int[] first = new int[Math.min(most, values.length)];
        int found = 0;
        for (int neuron = 0; neuron < values.length; neuron++) {
            double value = values[neuron];
            boolean isFull = found == first.length;
            if (Double.isNaN(value) || first.length == 0 || (isFull && value <= values[first[found - 1]])) {
                continue;
            }
            int place = isFull ? found - 1 : found++;
            while (place > 0 && values[first[place - 1]] < value) {
                first[place] = first[place - 1];
                place--;
            }
            first[place] = neuron;
        }
        return Arrays.copyOf(first, found);
    }

    /**
     * Those with the largest sizes in any cluster, gathered by the cluster where each is largest, so that a heat map of
     * them shows blocks.
     *
     * @param clusters one array of values per cluster; empty for a cluster without any
     */
    static int[] largestByCluster(List<float[]> clusters, int neurons, int most) {
        double[] sizes = new double[neurons];
        int[] places = new int[neurons];
        // What has no size anywhere stands last.
        Arrays.fill(places, clusters.size());
        for (int cluster = 0; cluster < clusters.size(); cluster++) {
            float[] values = clusters.get(cluster);
            for (int neuron = 0; neuron < values.length; neuron++) {
                double size = Math.abs(values[neuron]);
                if (size > sizes[neuron]) {
                    sizes[neuron] = size;
                    places[neuron] = cluster;
                }
            }
        }
        return IntStream.of(highest(sizes, most))
                .boxed()
                .sorted(Comparator.comparingInt(neuron -> places[neuron]))
                .mapToInt(Integer::intValue)
                .toArray();
    }
}
