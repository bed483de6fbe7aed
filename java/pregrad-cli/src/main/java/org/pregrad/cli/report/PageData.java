package org.pregrad.cli.report;

import java.util.Arrays;
import java.util.List;

/**
 * What the page's scripts draw. Numbers are rounded to six digits and NaN is null when it is written.
 *
 * @param aggregates names, in the order to choose from
 * @param metrics    what curves measure, in the order of every list of curve values
 * @param layers     the layer calls that are shown
 */
record PageData(List<String> aggregates, List<String> metrics, List<Layer> layers) {

    /** @param name as {@code --layer} takes it */
    record Layer(String name, int neurons, List<String> methods, List<Cluster> clusters, List<HeatMap> heatMaps) {}

    /**
     * @param id     in decimal: a script's numbers are too short for it
     * @param curves null if no neurons were removed
     */
    record Cluster(String id, long samples, List<Spread> cancellation, CurveSet curves) {}

    /**
     * @param neurons the chosen neurons, one per row
     * @param values  one row per neuron, one number per cluster
     */
    record HeatMap(String method, String aggregate, int[] neurons, double[][] values) {}

    /**
     * A distribution over neurons.
     *
     * @param quantiles smallest, lower quartile, median, upper quartile, largest
     * @param neurons   how many have a value
     */
    record Spread(String method, double[] quantiles, int neurons) {
        private static final double[] QUANTILES = {0, 0.25, 0.5, 0.75, 1};

        /** Null if no neuron has a value. */
        static Spread of(String method, double[] values) {
            double[] sorted = Arrays.stream(values)
                    .filter(value -> !Double.isNaN(value))
                    .sorted()
                    .toArray();
            if (sorted.length == 0) {
                return null;
            }
            return new Spread(
                    method,
                    Arrays.stream(QUANTILES)
                            .map(share -> quantile(sorted, share))
                            .toArray(),
                    sorted.length);
        }

        private static double quantile(double[] sorted, double share) {
            double place = share * (sorted.length - 1);
            int below = (int) place;
            int above = Math.min(below + 1, sorted.length - 1);
            return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
        }
    }

    /**
     * @param removed how many neurons are removed at each point
     * @param random  null if the run had no random orders
     */
    record CurveSet(int[] removed, List<Series> series, Band random) {}

    /**
     * @param area   under the curve; NaN if the summary has none
     * @param values one array per metric
     */
    record Series(String method, String aggregate, double area, double[][] values) {}

    /** Mean and population standard deviation over the repeats, one array per metric. */
    record Band(int repeats, double area, double areaStd, double[][] mean, double[][] std) {}
}
