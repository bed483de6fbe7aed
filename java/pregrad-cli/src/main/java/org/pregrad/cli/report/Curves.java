package org.pregrad.cli.report;

import java.util.List;

/**
 * The removal curves of one layer call and cluster.
 *
 * @param removed how many neurons are removed at each point
 * @param curves  one per method, aggregate and repeat
 */
record Curves(int[] removed, List<Curve> curves) {
    /** The measured quantities, as the columns of curves.csv name them. */
    static final List<String> METRICS = List.of("accuracy", "mean_output", "cross_entropy", "outside_accuracy");

    /** The method whose repeats are random orders. */
    static final String RANDOM = "random";

    /** @param values one array per metric, one number per point; NaN where it was not measured */
    record Curve(String method, String aggregate, List<double[]> values) {
        /** Whether it is one of the repeats of random orders, which are shown as one band. */
        boolean isRandom() {
            return method.equals(RANDOM);
        }
    }
}
