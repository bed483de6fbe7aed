package org.pregrad.cli.report;

import java.util.Arrays;

/** Distributions over neurons. */
final class Spreads {
    private static final double[] QUANTILES = {0, 0.25, 0.5, 0.75, 1};

    private Spreads() {}

    /** Null if no neuron has a value. */
    static PageData.Spread of(String method, double[] values) {
        double[] sorted = Arrays.stream(values)
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
        if (sorted.length == 0) {
            return null;
        }
        return new PageData.Spread(
                method,
                Arrays.stream(QUANTILES).map(share -> quantile(sorted, share)).toArray(),
                sorted.length);
    }

    private static double quantile(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
