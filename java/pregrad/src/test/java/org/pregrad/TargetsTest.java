package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Several targets per sample give the scores of as many batches. */
class TargetsTest {
    private static final int TARGETS = 10;

    private static Attribution open(Model model) {
        return model.attribution()
                .layers("act1", "act2")
                .methods(Method.GRADIENT, Method.ABLATION)
                .open();
    }

    private static long[][] allTargets(int samples) {
        long[][] targets = new long[samples][TARGETS];
        for (long[] row : targets) {
            Arrays.setAll(row, i -> i);
        }
        return targets;
    }

    @Test
    void haveTheScoresOfOneBatchEach() {
        Data data = Fixtures.data("digits.npz").part(0, 50);
        long[][] targets = allTargets(data.size());
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
                Attribution together = open(model);
                Attribution apart = open(model)) {
            together.addTargets(data.input(), targets, targets);
            for (int target = 0; target < TARGETS; target++) {
                long[] column = new long[data.size()];
                Arrays.fill(column, target);
                apart.add(data.input(), column, column);
            }
            assertThat(together.scores().all()).hasSize(2 * 2 * TARGETS);
            for (Score truth : apart.scores().all()) {
                Score score = together.scores().of(truth.layer(), truth.cluster(), truth.method());
                assertThat(score.count()).isEqualTo(truth.count()).isEqualTo(data.size());
                assertThat(Fixtures.distance(score.mean(), truth.mean()))
                        .isLessThanOrEqualTo(Rounding.apart(64, 128, 10, 64) * Fixtures.norm(truth.mean()));
            }
        }
    }

    @Test
    void withoutClustersAreOneCluster() {
        Data data = Fixtures.data("digits.npz").part(0, 5);
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
                Attribution attribution = open(model)) {
            attribution.addTargets(data.input(), allTargets(data.size()), null);
            assertThat(attribution.scores().of("act1", 0, Method.GRADIENT).count())
                    .isEqualTo(5 * TARGETS);
        }
    }

    @Test
    void areRefusedWhereTheyDoNotFit() {
        Data data = Fixtures.data("digits.npz").part(0, 3);
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
                Attribution attribution = open(model)) {
            long[][] ragged = {{1, 2}, {3}, {4, 5}};
            assertThatThrownBy(() -> attribution.addTargets(data.input(), ragged, null))
                    .isInstanceOf(InputException.class)
                    .hasMessage("sample 1 has 1 targets where 2 are expected: give as many for each sample");
            assertThatThrownBy(() -> attribution.addTargets(data.input(), new long[3][0], null))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("at least 1 is expected");
            assertThatThrownBy(() -> attribution.addTargets(data.input(), new long[0][], null))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("0 labels for 3 samples");
            assertThatThrownBy(() -> attribution.addTargets(data.input(), new long[2][4], null))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("[2, 4] for 3 samples");
            assertThatThrownBy(() -> attribution.addTargets(data.input(), new long[3][4], new long[2][4]))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("clusters have shape [2, 4]");
            assertThat(attribution.scores().all()).isEmpty();
        }
    }
}
