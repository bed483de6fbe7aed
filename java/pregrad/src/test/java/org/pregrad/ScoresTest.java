package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Scores are found by the names that were asked for, and rank neurons. */
class ScoresTest {
    private static Score score(String layer, long call, double... mean) {
        double[] zeros = new double[mean.length];
        return new Score(layer, call, 0, Method.GRADIENT, 1, new double[][] {mean, zeros, zeros, zeros}, Double.NaN);
    }

    private static Scores scores(Map<String, List<Scores.Call>> names, String... calls) {
        List<Score> entries = new ArrayList<>();
        for (String call : calls) {
            Scores.Call parsed = Scores.Call.parse(call);
            entries.add(score(parsed.layer(), parsed.call(), 0));
        }
        return new Scores(entries, names);
    }

    @Test
    void namesAndCalls() {
        Scores scores = scores(Map.of(), "relu@0", "relu@1", "act@0");
        assertThat(scores.of("act", 0, Method.GRADIENT).layer()).isEqualTo("act");
        assertThat(scores.of("relu@1", 0, Method.GRADIENT).call()).isEqualTo(1);
        assertThatThrownBy(() -> scores.of("relu", 0, Method.GRADIENT))
                .isInstanceOf(LayerException.class)
                .hasMessage("layer 'relu' has several calls: name one of relu@0, relu@1");
        for (String name : new String[] {"relu@2", "relu@", "relu@-1", "rel", "", "@0"}) {
            assertThatThrownBy(() -> scores.of(name, 0, Method.GRADIENT))
                    .isInstanceOf(LayerException.class)
                    .hasMessage("no scores of layer '" + name + "': there are act@0, relu@0, relu@1");
        }
    }

    @Test
    void otherNames() {
        Map<String, List<Scores.Call>> names =
                Map.of("fc1", List.of(new Scores.Call("act", 0)), "block", List.of(new Scores.Call("relu", -1)));
        Scores scores = scores(names, "relu@0", "relu@1", "act@0");
        assertThat(scores.of("fc1", 0, Method.GRADIENT)).isSameAs(scores.of("act", 0, Method.GRADIENT));
        assertThatThrownBy(() -> scores.of("block", 0, Method.GRADIENT))
                .isInstanceOf(LayerException.class)
                .hasMessage("layer 'block' has several calls: name one of relu@0, relu@1");
    }

    @Test
    void manyCandidatesAreCut() {
        String[] calls = new String[30];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = "relu@" + i;
        }
        assertThatThrownBy(() -> scores(Map.of(), calls).of("relu", 0, Method.GRADIENT))
                .isInstanceOf(LayerException.class)
                .hasMessageEndingWith("relu@3 and 6 more");
    }

    @Test
    void rankingFallsAndTiesKeepTheirOrder() {
        Score score = score("act", 0, 1, -0.0, 3, 0.0, 3, -5, 1);
        assertThat(score.ranking(Aggregate.MEAN)).containsExactly(2, 4, 0, 6, 1, 3, 5);
        assertThat(score.ranking(Aggregate.STD)).containsExactly(0, 1, 2, 3, 4, 5, 6);
    }

    @Test
    void rankingPutsWhatIsNoNumberLast() {
        Score score = score("act", 0, Double.NaN, -1, Double.NEGATIVE_INFINITY, Double.NaN, 2);
        assertThat(score.ranking(Aggregate.MEAN)).containsExactly(4, 1, 2, 0, 3);
    }

    @Test
    void cancellationIsTheShareOfTheMeanThatIsLeft() {
        double[] zeros = new double[4];
        double[][] values = {{0.5, -2, 0, 0.3 + 1e-16}, {1, 2, 0, 0.3}, zeros, zeros};
        Score score = new Score("act", 0, 0, Method.GRADIENT, 1, values, Double.NaN);
        assertThat(score.cancellation()).containsExactly(0.5, 1, Double.NaN, 1);
        assertThat(score.of(Aggregate.CANCELLATION)).isEqualTo(score.cancellation());
        assertThat(score.ranking(Aggregate.CANCELLATION)).containsExactly(1, 3, 0, 2);
    }

    @Test
    void meansNeedTheActivation() {
        assertThatThrownBy(() -> scores(Map.of(), "act@0").meanActivations())
                .isExactlyInstanceOf(ArgumentException.class)
                .hasMessage("the scores have no mean activations: compute them with the method activation too");
    }

    @Test
    void valuesAreCopies() {
        Score score = score("act", 0, 1, 2);
        score.mean()[0] = 7;
        assertThat(score.mean()).containsExactly(1, 2);
        assertThat(score.toString()).isEqualTo("act@0, cluster 0, gradient: 2 neurons, 1 samples");
    }
}
