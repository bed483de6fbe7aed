package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.pregrad.internal.RecordWriter;
import org.pregrad.internal.Records;

/** Values are compared by what they hold, and nobody changes what they hold. */
class ValuesTest {
    @Test
    void wordsOfOptionsShowAsTheyAreWritten() {
        assertThat(Method.values()).allMatch(value -> Method.of(value.toString()) == value);
        assertThat(Output.values()).allMatch(value -> Output.of(value.toString()) == value);
        assertThat(Aggregate.values()).allMatch(value -> Aggregate.of(value.toString()) == value);
        assertThat(Quadrature.values()).allMatch(value -> Quadrature.of(value.toString()) == value);
        assertThat(Removal.values()).allMatch(value -> Removal.of(value.toString()) == value);
        assertThat(Baseline.values()).allMatch(value -> Baseline.of(value.toString()) == value);
    }

    @Test
    void constantsAreValues() {
        double[] given = {1, Double.NaN};
        NeuronConstants constants = new NeuronConstants("act", 1, OptionalLong.of(-4), given);
        NeuronConstants same = new NeuronConstants("act", 1, OptionalLong.of(-4), given);
        given[0] = 7;
        constants.values()[1] = 7;
        assertThat(constants).isEqualTo(same).hasSameHashCodeAs(same).hasToString("act@1, cluster -4: 2 neurons");
        assertThat(constants.values()).containsExactly(1, Double.NaN);
        for (NeuronConstants other : List.of(
                new NeuronConstants("act", 1, OptionalLong.of(-4), new double[] {1, 2}),
                new NeuronConstants("act", 1, OptionalLong.empty(), constants.values()),
                new NeuronConstants("act", 0, OptionalLong.of(-4), constants.values()),
                new NeuronConstants("fc", 1, OptionalLong.of(-4), constants.values()))) {
            assertThat(constants).isNotEqualTo(other);
        }
        assertThat(new NeuronConstants("act", 1, OptionalLong.empty(), new double[0]))
                .hasToString("act@1, all clusters: 0 neurons");
    }

    private static RemovalOrder order(int repeat, int... neurons) {
        return new RemovalOrder("act", 1, -4, Method.GRADIENT, Aggregate.MEAN_ABS, repeat, neurons);
    }

    @Test
    void ordersAreValues() {
        int[] given = {1, 0};
        RemovalOrder order = order(0, given);
        RemovalOrder same = order(0, given);
        given[0] = 7;
        order.neurons()[1] = 7;
        assertThat(order)
                .isEqualTo(same)
                .hasSameHashCodeAs(same)
                .isNotEqualTo(order(1, 1, 0))
                .isNotEqualTo(order(0, 0, 1))
                .hasToString("act@1, cluster -4, gradient mean_abs 0: 2 neurons");
        assertThat(order.neurons()).containsExactly(1, 0);
    }

    @Test
    void ordersOfScoresAreTheirRankings() {
        double[] zeros = new double[3];
        double[][] values = {{1, 3, 2}, zeros, zeros, zeros};
        Score score = new Score("act", 1, -4, Method.ACTIVATION, 5, values, Double.NaN);
        assertThat(RemovalOrder.of(score, Aggregate.MEAN))
                .isEqualTo(new RemovalOrder("act", 1, -4, Method.ACTIVATION, Aggregate.MEAN, 0, new int[] {1, 2, 0}));
    }

    @Test
    void randomOrdersAreDrawnByTheSeed() {
        List<RemovalOrder> orders = RemovalOrder.random("数字", 1, -4, 50, 20, -1);
        assertThat(orders).hasSize(20).doesNotHaveDuplicates();
        assertThat(RemovalOrder.random("数字", 1, -4, 50, 3, -1)).isEqualTo(orders.subList(0, 3));
        assertThat(RemovalOrder.random("数字", 1, -4, 50, 3, 0)).doesNotContainAnyElementsOf(orders);
        assertThat(RemovalOrder.random("数字", 1, -4, 50, 0, 0)).isEmpty();
        assertThatThrownBy(() -> RemovalOrder.random("act", 0, 0, 50, -1, 0))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("-1 random orders of 50 neurons");
        assertThatThrownBy(() -> RemovalOrder.random("act", 0, 0, -50, 1, 0)).isInstanceOf(ArgumentException.class);
        for (int repeat = 0; repeat < 20; repeat++) {
            RemovalOrder order = orders.get(repeat);
            assertThat(order)
                    .isEqualTo(new RemovalOrder("数字", 1, -4, Method.RANDOM, Aggregate.MEAN, repeat, order.neurons()));
            assertThat(order.neurons())
                    .containsExactlyInAnyOrder(IntStream.range(0, 50).toArray());
        }
    }

    @Test
    void rankCorrelation() {
        double[] rising = {1, 2, 30, 400, 5000};
        assertThat(RankCorrelation.spearman(rising, new double[] {-5, -4, -3, -2, -1}))
                .isEqualTo(1, within(1e-15));
        assertThat(RankCorrelation.spearman(rising, new double[] {5, 4, 3, 2, 1}))
                .isEqualTo(-1, within(1e-15));
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, squares 4.5 and 5.
        assertThat(RankCorrelation.spearman(new double[] {1, 2, 2, 3}, new double[] {1, 2, 3, 4}))
                .isEqualTo(4.5 / Math.sqrt(22.5), within(1e-15));
        assertThat(RankCorrelation.spearman(rising, new double[] {1, 1, 1, 1, 1}))
                .isNaN();
    }

    @Test
    void recordsAreReadAsTheyWereWritten() {
        RecordWriter records = new RecordWriter();
        double[] many = IntStream.range(0, 1000).mapToDouble(i -> 1.0 / i).toArray();
        records.add(Long.MIN_VALUE);
        records.add("数字🔢");
        records.add(many);
        records.add(new int[] {Integer.MAX_VALUE, 0});
        records.add(new double[0]);
        records.add("");
        Records read = new Records(records.bytes());
        assertThat(read.integer()).isEqualTo(Long.MIN_VALUE);
        assertThat(read.text()).isEqualTo("数字🔢");
        assertThat(read.reals()).isEqualTo(many);
        assertThat(read.counts()).containsExactly(Integer.MAX_VALUE, 0);
        assertThat(read.reals()).isEmpty();
        assertThat(read.text()).isEmpty();
    }
}
