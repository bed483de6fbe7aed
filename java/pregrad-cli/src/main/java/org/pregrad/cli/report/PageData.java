package org.pregrad.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What the page's scripts draw. Numbers are rounded to six digits and NaN is null when it is written.
 *
 * @param aggregates names, in the order to choose from
 * @param metrics    what curves measure, in the order of every list of curve values
 * @param against    the cluster that the file compares the others with; null if it compares none
 * @param layers     the layer calls that are shown
 * @param examples   null if there are none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record PageData(
        List<String> aggregates, List<String> metrics, String against, List<Layer> layers, Examples.Shown examples) {

    /**
     * @param name as {@code --layer} takes it
     * @param rows how many neurons a heat map shows at most
     */
    record Layer(
            String name, int neurons, List<String> methods, List<Cluster> clusters, int rows, List<Scores> scores) {}

    /**
     * @param id           as it is shown, an integer in decimal or a name: a script's numbers are too short for it
     * @param cancellation null if it is left out of the page
     * @param curves       null if no neurons were removed, or it is left out of the page
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Cluster(String id, long samples, List<Spread> cancellation, CurveSet curves) {}

    /**
     * The scores of one method.
     *
     * @param neurons  those whose scores of all clusters are here; null for all neurons
     * @param columns  of these, by name: all clusters of the first, then of the next
     * @param first    by aggregate the first neurons of each cluster, which need not be among the others; null if all are
     *                 there
     * @param overview by aggregate and measure one number per cluster, as {@link Overview} has them
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Scores(
            String method,
            Packed neurons,
            Map<String, Packed> columns,
            Map<String, First> first,
            Map<String, Map<String, Packed>> overview) {}

    /**
     * @param most    neurons of each cluster
     * @param neurons {@code most} for each cluster, highest first; where a cluster has fewer, the number of neurons
     * @param columns by name, one number for each of them
     */
    record First(int most, Packed neurons, Map<String, Packed> columns) {}

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
     * @param removed    how many neurons are removed (kept) at each point
     * @param random     null if the run had no random orders
     * @param randomKept the same where the first neurons are kept
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record CurveSet(int[] removed, List<Series> series, Band random, Band randomKept) {}

    /**
     * @param keep   whether the first neurons are kept and the others removed, rather than the reverse
     * @param area   under the curve; NaN if the summary has none
     * @param error  the area's standard error; NaN where it was not measured
     * @param values one array per metric
     */
    record Series(String method, String aggregate, boolean keep, double area, double error, double[][] values) {}

    /** Mean and population standard deviation over the repeats, one array per metric. */
    record Band(int repeats, double area, double areaStd, double[][] mean, double[][] std) {}
}
