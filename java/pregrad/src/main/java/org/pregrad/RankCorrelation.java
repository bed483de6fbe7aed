package org.pregrad;

import java.util.Objects;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;

/** How far two lists of values agree in their order. */
public final class RankCorrelation {
    private RankCorrelation() {}

    /**
     * {@return Spearman's correlation in [-1, 1], with average ranks for ties; NaN where a list is constant}
     *
     * @param left one value per neuron
     * @param right as many values
     * @throws ArgumentException if the lengths differ
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static double spearman(double[] left, double[] right) {
        Objects.requireNonNull(left, "left");
        Objects.requireNonNull(right, "right");
        Loader.load();
        return Native.rankCorrelation(left, right);
    }
}
