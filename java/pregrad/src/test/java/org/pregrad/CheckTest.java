package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a check of gradients gives across the border. */
class CheckTest {
    @Test
    void gradientsOfAReluPassAndAHookFails() {
        Data data = Fixtures.digits().part(0, 32);
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
                Check check = model.check()
                        .layers("act1", "act2")
                        .target(Target.index(3))
                        .mostNeurons(16)
                        .open()) {
            check.add(data.part(0, 20).input(), null);
            check.add(data.part(20, 32).input(), null);
            List<LayerCheck> results = check.results();
            assertThat(results).extracting(LayerCheck::layer).containsExactly("act1", "act2");
            for (LayerCheck result : results) {
                assertThat(result.call()).isZero();
                assertThat(result.op()).isEqualTo("relu");
                assertThat(result.inDoublePrecision()).isTrue();
                assertThat(result.samples()).isEqualTo(32);
                assertThat(result.neurons()).isEqualTo(16);
                assertThat(result.compared() + result.atKink()).isEqualTo(32 * 16);
                assertThat(result.compared()).isPositive();
                assertThat(result.tolerance()).isEqualTo(1e-6);
                assertThat(result.gradientError()).isLessThan(1e-6);
                assertThat(result.passed()).isTrue();
                assertThat(result.hookError()).isGreaterThan(0.1);
                assertThat(result.hookDiffers()).isBetween(0.01, 1.0);
                assertThat(result.cancellation()).isBetween(0.0, 1.0);
            }
        }
    }

    @Test
    void withoutSamplesNothingPasses() {
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
                Check check = model.check().layers("act1").open()) {
            assertThat(check.results()).noneMatch(LayerCheck::passed);
        }
    }
}
