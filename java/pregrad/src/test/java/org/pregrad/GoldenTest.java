package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fixture meets the values that eager PyTorch gave without PreGrad. */
class GoldenTest {
    private static final double TOLERANCE = 1e-5;

    static Stream<Fixtures.Entry> withActivations() {
        return Fixtures.accepted()
                .filter(entry -> !Fixtures.layers(entry.name()).isEmpty());
    }

    @ParameterizedTest
    @MethodSource("withActivations")
    void scoresMeetTheTruth(Fixtures.Entry entry) {
        Data data = Fixtures.data(entry.data());
        List<String> layers = Fixtures.layers(entry.name()).stream()
                .map(Layer::name)
                .distinct()
                .toList();
        List<Fixtures.Truth> truths = Fixtures.scores(entry.name());
        try (Model model = Model.load(Fixtures.file(entry.file()));
                Attribution attribution = model.attribution()
                        .layers(layers)
                        .methods(Method.values())
                        .open()) {
            attribution.add(data.input(), data.y(), data.cluster());
            Scores scores = attribution.scores();
            assertThat(scores.all()).hasSameSizeAs(truths);
            for (Fixtures.Truth truth : truths) {
                Score score = scores.of(truth.layer() + "@" + truth.call(), truth.cluster(), truth.method());
                assertThat(score.count()).isEqualTo(truth.count());
                for (Aggregate aggregate : Aggregate.values()) {
                    assertThat(Fixtures.relativeError(score.of(aggregate), truth.values()[aggregate.ordinal()]))
                            .as("%s, %s", score, aggregate.id())
                            .isLessThan(TOLERANCE);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("org.pregrad.Fixtures#accepted")
    void layersMeetTheTruth(Fixtures.Entry entry) {
        try (Model model = Model.load(Fixtures.file(entry.file()))) {
            assertThat(model.layers(Fixtures.data(entry.data()).input()))
                    .containsExactlyElementsOf(Fixtures.layers(entry.name()));
        }
    }
}
