package org.pregrad;

/**
 * How far two right results may be apart, for tests that hold on every processor: the same bits come from the same kernels on
 * the same shapes and alignments alone. {@code native/tests/rounding.hpp} derives it.
 */
final class Rounding {
    /** Of scores of the same samples in other batches, or added by other threads, as a part of their norm. */
    static final double PROMISED_BETWEEN_BATCHES = 1e-6;

    /** Of scores and those of tests/fixtures/golden, whose generator refuses models that rounding alone parts as far. */
    static final double PROMISED_OF_GOLDEN_VALUES = 1e-5;

    private static final double UNIT_ROUNDOFF = Math.ulp(1.0f) / 2;
    private static final int BETWEEN_SUMS = 4;

    private Rounding() {}

    /**
     * How far two right results in float32 may be apart, as a part of their norm.
     *
     * @param sums the lengths of the sums on the longest way to the result
     */
    static double apart(int... sums) {
        double each = 0;
        for (int terms : sums) {
            each += (terms + BETWEEN_SUMS) * UNIT_ROUNDOFF;
        }
        return 2 * each / (1 - each);
    }
}
