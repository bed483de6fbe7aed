package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pruning gives across the border. */
class PruningTest {
    private static final Path MODEL = Fixtures.file("digits-mlp.exported.pt2");

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theFileHasTheOutputsOfTheModelWithoutTheNeurons(boolean isolated) {
        Data data = Fixtures.digits().part(0, 40);
        Model.Options options = isolated ? Model.Options.defaults().isolated() : Model.Options.defaults();
        Path file = directory.resolve("pruned.pt2");
        int[] gone = IntStream.range(0, 64).map(i -> 2 * i).toArray();
        try (Model model = Model.load(MODEL, options);
                Pruning pruning = model.pruning()
                        .neurons(List.of(new PrunedNeurons("act1", 0, gone)))
                        .open()) {
            pruning.add(Inputs.of(data.input()), data.y());
            PruningResult result = pruning.result();
            assertThat(result.open()).isEmpty();
            assertThat(result.isClosed()).isTrue();
            assertThat(result.samples()).isEqualTo(40);
            assertThat(result.neurons()).containsExactly(new PrunedNeurons("act1", 0, gone, 128));
            assertThat(result.cuts())
                    .containsExactly(
                            new WeightCut("fc1.bias", 0, gone, List.of(128L), List.of(64L)),
                            new WeightCut("fc1.weight", 0, gone, List.of(128L, 64L), List.of(64L, 64L)),
                            new WeightCut("fc2.weight", 1, gone, List.of(64L, 128L), List.of(64L, 64L)));
            assertThat(result.prunedAccuracy()).isEqualTo(result.accuracyAtZero());
            assertThat(result.difference()).isLessThan(1e-5);
            assertThat(result.multiplyAdds()).isEqualTo(64 * 128 + 128 * 64 + 64 * 10);
            assertThat(result.prunedMultiplyAdds()).isEqualTo(64 * 64 + 64 * 64 + 64 * 10);
            assertThat(result.parameters() - result.prunedParameters()).isEqualTo(64 * 64 + 64 + 64 * 64);
            pruning.saveExported(MODEL, file);
        }
        try (Model smaller = Model.load(file)) {
            assertThat(smaller.layers(data.input())).extracting(Layer::neurons).containsExactly(64L, 64L);
        }
    }

    @Test
    void theLowestScoresGo() {
        Data data = Fixtures.digits().part(0, 8);
        double[] scores = IntStream.range(0, 64).mapToDouble(i -> (i * 5) % 64).toArray();
        try (Model model = Model.load(MODEL);
                Pruning pruning = model.pruning()
                        .scores(List.of(new NeuronConstants("act2", 0, OptionalLong.empty(), scores)))
                        .keep(61)
                        .open()) {
            assertThatThrownBy(pruning::result).isInstanceOf(IllegalStateException.class);
            pruning.add(Inputs.of(data.input()), (long[]) null);
            PruningResult result = pruning.result();
            // 5 · 13 and 5 · 26 are 1 and 2 more than multiples of 64.
            assertThat(result.neurons().get(0).neurons()).containsExactly(0, 13, 26);
            assertThat(result.accuracy()).isNaN();
        }
    }

    @Test
    void wrongOptionsAreTold() {
        try (Model model = Model.load(MODEL)) {
            assertThatThrownBy(() -> model.pruning().open())
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("give neurons or scores");
            assertThatThrownBy(() -> model.pruning()
                            .neurons(List.of(new PrunedNeurons("act9", 0, 1)))
                            .open())
                    .isInstanceOf(LayerException.class);
        }
    }
}
