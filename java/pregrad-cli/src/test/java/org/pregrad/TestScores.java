package org.pregrad;

import java.util.List;
import java.util.Map;

/** Makes scores without a model. */
public final class TestScores {
    private TestScores() {}

    public static Score score(String layer, long cluster, Method method, double[] mean, double[] meanAbs) {
        double[] zeros = new double[mean.length];
        return new Score(layer, 0, cluster, method, 3, new double[][] {mean, meanAbs, zeros, zeros}, Double.NaN);
    }

    public static Scores scores(Score... scores) {
        return new Scores(List.of(scores), Map.of());
    }
}
