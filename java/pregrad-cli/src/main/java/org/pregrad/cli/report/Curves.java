package org.pregrad.cli.report;

import java.util.List;
import java.util.Set;
import org.pregrad.Method;
import org.pregrad.cli.output.CurvesCsv;

/**
 * The removal curves of one layer call and cluster.
 *
 * @param removed how many neurons are removed at each point
 * @param curves  one per method, aggregate and repeat
 */
record Curves(int[] removed, List<Curve> curves) {
    /** The method whose repeats are random orders. */
    static final String RANDOM = Method.RANDOM.id();

    /** What every ranking is held against. */
    static final Set<String> COMPARED = Set.of(RANDOM, Method.ABLATION.id());

    /**
     * @param keep   whether the first neurons are kept and the others removed, rather than the reverse
     * @param values as {@link CurvesCsv#values} has them
     */
    record Curve(String method, String aggregate, boolean keep, List<double[]> values) {
        /** Whether it is one of the repeats of random orders, which are shown as one band. */
        boolean isRandom() {
            return method.equals(RANDOM);
        }
    }
}
