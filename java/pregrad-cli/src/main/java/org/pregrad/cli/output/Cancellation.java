package org.pregrad.cli.output;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.pregrad.Score;

/** How much of a signed mean survives: |mean| / mean_abs, 1 if all samples agree in sign, near 0 if they cancel. */
final class Cancellation {
    private Cancellation() {}

    static OptionalDouble median(Score score) {
        return median(List.of(score));
    }

    /** The median over the neurons, and positions, that have any score; empty if none has. */
    static OptionalDouble median(List<Score> group) {
        double[] shares = group.stream()
                .flatMapToDouble(score -> Arrays.stream(score.cancellation()))
                .filter(share -> !Double.isNaN(share))
                .sorted()
                .toArray();
        int half = shares.length / 2;
        if (shares.length == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(shares.length % 2 == 1 ? shares[half] : (shares[half - 1] + shares[half]) / 2);
    }
}
