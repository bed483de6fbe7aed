package org.pregrad;

import java.util.Objects;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;

/** How sure numbers are: Student's t and the false discovery rate. */
public final class Certainty {
    private Certainty() {}

    /**
     * {@return the probability that Student's t is further from 0 than {@code t}; NaN for NaN}
     *
     * @param t a difference in units of its standard error
     * @param degrees of freedom, above 0
     * @throws ArgumentException if {@code degrees} is not above 0
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static double studentP(double t, double degrees) {
        Loader.load();
        return Native.studentP(t, degrees);
    }

    /**
     * {@return the t beyond which, on both sides together, that probability is 1 − {@code confidence}: how many standard
     * errors a confidence interval reaches to either side}
     *
     * @param confidence between 0 and 1
     * @param degrees of freedom, above 0: of a mean one less than samples
     * @throws ArgumentException if one of them is not
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static double studentBound(double confidence, double degrees) {
        Loader.load();
        return Native.studentBound(confidence, degrees);
    }

    /**
     * {@return for each p the false discovery rate at which it would just be called one, by Benjamini and Hochberg; NaN stays
     * NaN and does not count}
     *
     * @param p of a family of tests
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static double[] falseDiscoveryRates(double[] p) {
        Objects.requireNonNull(p, "p");
        Loader.load();
        return Native.falseDiscoveryRates(p);
    }
}
