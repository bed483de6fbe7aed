package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What several processes have saved adds up to what one would have had. */
class MergeTest {
    private static final int BATCH = 6;
    private static final List<int[]> SPREAD = List.of(new int[] {0, 3}, new int[] {1}, new int[] {2, 4, 5});
    private static final int[] ALL = {0, 1, 2, 3, 4, 5};

    private static Model model;
    private static Data data;

    @BeforeAll
    static void open() {
        model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
        data = Fixtures.digits().part(0, 6 * BATCH);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Attribution.Builder everything() {
        return model.attribution()
                .layers("act1", "act2")
                .methods(Fixtures.UNCONDITIONAL_METHODS)
                .steps(3);
    }

    private static Data batch(int number) {
        return data.part(number * BATCH, (number + 1) * BATCH);
    }

    private static void add(Attribution attribution, int... numbers) {
        for (int number : numbers) {
            Data part = batch(number);
            // The first batch has a cluster of its own.
            attribution.add(part.input(), part.y(), number == 0 ? new long[BATCH] : part.cluster());
        }
    }

    private static void add(Ablation ablation, int... numbers) {
        for (int number : numbers) {
            Data part = batch(number);
            ablation.add(part.input(), part.y(), part.cluster());
        }
    }

    private static byte[] scoresOf(Attribution.Builder options, int... numbers) {
        try (Attribution attribution = options.open()) {
            add(attribution, numbers);
            return attribution.save();
        }
    }

    private static void same(Scores scores, Scores expected) {
        assertThat(scores.all())
                .usingRecursiveComparison()
                .withComparatorForType(Double::compare, Double.class)
                .isEqualTo(expected.all());
    }

    @Test
    void scoresAddUpInAnyOrder() {
        List<byte[]> states = new ArrayList<>();
        for (int[] numbers : SPREAD) {
            states.add(scoresOf(everything(), numbers));
        }
        try (Attribution all = everything().open();
                Attribution forwards = everything().open();
                Attribution backwards = everything().open()) {
            add(all, ALL);
            for (int i = 0; i < states.size(); i++) {
                forwards.merge(states.get(i));
                backwards.merge(states.get(states.size() - 1 - i));
            }
            assertThat(all.scores().all()).hasSizeGreaterThan(2 * Fixtures.UNCONDITIONAL_METHODS.size());
            same(forwards.scores(), all.scores());
            same(backwards.scores(), all.scores());
        }
    }

    @Test
    void meansOfAFirstPassAddUp() {
        Attribution.Builder means = model.attribution().layers("act1").methods(Method.ACTIVATION);
        try (Attribution all = means.open();
                Attribution merged = means.open()) {
            add(all, ALL);
            add(merged, 5, 1);
            merged.merge(scoresOf(means, 0, 2, 3, 4));
            assertThat(merged.scores().meanActivations()).isEqualTo(all.scores().meanActivations());
        }
    }

    @Test
    void curvesAddUpInAnyOrder() {
        List<RemovalOrder> orders = new ArrayList<>(RemovalOrder.random("act2", 0, 1, 64, 2, 5));
        orders.addAll(RemovalOrder.random("act1", 0, 2, 128, 1, 5));
        List<byte[]> states = new ArrayList<>();
        for (int[] numbers : SPREAD) {
            try (Ablation ablation = model.ablation().orders(orders).open()) {
                add(ablation, numbers);
                states.add(ablation.save());
            }
        }
        try (Ablation all = model.ablation().orders(orders).open();
                Ablation forwards = model.ablation().orders(orders).open();
                Ablation backwards = model.ablation().orders(orders).open()) {
            add(all, ALL);
            for (int i = 0; i < states.size(); i++) {
                forwards.merge(states.get(i));
                backwards.merge(states.get(states.size() - 1 - i));
            }
            assertThat(forwards.curves()).usingRecursiveComparison().isEqualTo(all.curves());
            assertThat(backwards.curves()).usingRecursiveComparison().isEqualTo(all.curves());
        }
    }

    @Test
    void othersMayAddMeanwhile() throws Exception {
        byte[] state = scoresOf(everything(), 0, 1);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try (Attribution shared = everything().open();
                Attribution all = everything().open()) {
            List<Future<?>> running = new ArrayList<>();
            for (int number = 2; number < 6; number++) {
                int mine = number;
                running.add(pool.submit(() -> add(shared, mine)));
            }
            running.add(pool.submit(() -> shared.merge(state)));
            for (Future<?> each : running) {
                each.get();
            }
            add(all, ALL);
            List<Score> expected = all.scores().all();
            List<Score> seen = shared.scores().all();
            assertThat(seen).hasSameSizeAs(expected);
            for (int i = 0; i < seen.size(); i++) {
                assertThat(seen.get(i).count()).isEqualTo(expected.get(i).count());
                assertThat(Fixtures.relativeError(
                                seen.get(i).meanAbs(), expected.get(i).meanAbs()))
                        .isLessThan(1e-5);
            }
        } finally {
            pool.shutdown();
            assertThat(pool.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void whatDoesNotFitIsRefusedAndChangesNothing() {
        List<RemovalOrder> orders = RemovalOrder.random("act2", 0, 0, 64, 1, 0);
        try (Attribution attribution = everything().open();
                Ablation ablation = model.ablation().orders(orders).open();
                Ablation otherRemoval = model.ablation()
                        .orders(orders)
                        .removal(Removal.ZERO_PREACTIVATION)
                        .open()) {
            add(attribution, 0);
            add(ablation, 0);
            byte[] scores = attribution.save();
            byte[] curves = ablation.save();
            refused(attribution, scoresOf(everything().layers("act1")), "no more layers where the layer 'act2@0'");
            refused(attribution, scoresOf(everything().methods(Method.GRADIENT)), "no more methods where the method");
            refused(attribution, scoresOf(everything().target(Target.index(3))), "the option 'target 3'");
            refused(attribution, scoresOf(everything().steps(4)), "the option 'steps 4'");
            refused(attribution, curves, "is damaged, or none of this kind");
            refused(attribution, Arrays.copyOf(scores, scores.length - 1), "damaged");
            refused(attribution, new byte[0], "damaged");
            assertThatThrownBy(() -> ablation.merge(scores)).isInstanceOf(ArgumentException.class);
            assertThatThrownBy(() -> ablation.merge(otherRemoval.save()))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("the option 'removal zero-preactivation'");
            assertThatThrownBy(() -> attribution.merge(null)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> ablation.merge(null)).isInstanceOf(NullPointerException.class);
            assertThat(attribution.save()).isEqualTo(scores);
            assertThat(ablation.save()).isEqualTo(curves);
        }
    }

    private static void refused(Attribution attribution, byte[] state, String part) {
        assertThatThrownBy(() -> attribution.merge(state))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining(part)
                .hasMessageNotContaining("\n");
    }
}
