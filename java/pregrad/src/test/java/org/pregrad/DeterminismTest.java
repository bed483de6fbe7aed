package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the samples are cut into batches, and who adds them, does not change the scores. */
class DeterminismTest {
    private static Attribution open(Model model) {
        return open(model, Fixtures.ONE_PASS_METHODS);
    }

    private static Attribution open(Model model, List<Method> methods) {
        return model.attribution()
                .layers(model.layers().stream().map(Layer::name).distinct().toList())
                .methods(methods)
                .open();
    }

    private static List<Data> batches(Data data, int size) {
        List<Data> batches = new ArrayList<>();
        for (int begin = 0; begin < data.size(); begin += size) {
            batches.add(data.part(begin, Math.min(begin + size, data.size())));
        }
        return batches;
    }

    private static Scores inOneBatch(Model model, Data data) {
        try (Attribution attribution = open(model)) {
            attribution.add(data.input(), data.y(), data.cluster());
            return attribution.scores();
        }
    }

    private static void compare(Scores scores, Scores expected, double tolerance) {
        assertThat(scores.all()).hasSameSizeAs(expected.all());
        for (Score truth : expected.all()) {
            Score score = scores.of(truth.layer() + "@" + truth.call(), truth.cluster(), truth.method());
            assertThat(score.count()).isEqualTo(truth.count());
            for (Aggregate aggregate : Fixtures.AGGREGATES) {
                // The deviation is what two larger numbers differ by: its error counts against the larger ones.
                double scale =
                        aggregate == Aggregate.STD ? Fixtures.norm(truth.rms()) : Fixtures.norm(truth.of(aggregate));
                assertThat(Fixtures.distance(score.of(aggregate), truth.of(aggregate)))
                        .as("%s, %s", score, aggregate.id())
                        .isLessThanOrEqualTo(tolerance * scale);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "digits-mlp.scripted.pt, digits.npz",
        "digits-cnn.traced.pt, digits-images.npz",
        "reused.scripted.pt, reused.npz",
        "transformer-relu.scripted.pt, transformer-relu.npz",
    })
    void batchSizesDoNotMatter(String file, String dataFile) {
        Data data = Fixtures.data(dataFile);
        try (Model model = Model.load(Fixtures.file(file))) {
            Scores expected = inOneBatch(model, data);
            for (int size : new int[] {1, 7, 256}) {
                try (Attribution attribution = open(model)) {
                    for (Data batch : batches(data, size)) {
                        attribution.add(batch.input(), batch.y(), batch.cluster());
                    }
                    compare(attribution.scores(), expected, Rounding.PROMISED_BETWEEN_BATCHES);
                }
            }
        }
    }

    @Test
    void batchSizesDoNotMatterToMethodsOfManyPasses() {
        Data data = Fixtures.digits().part(0, 48);
        try (Model model = Model.load(Fixtures.file("digits-mlp-tanh.scripted.pt"));
                Attribution whole = open(model, Fixtures.UNCONDITIONAL_METHODS);
                Attribution parts = open(model, Fixtures.UNCONDITIONAL_METHODS)) {
            whole.add(data.input(), data.y(), data.cluster());
            for (Data batch : batches(data, 7)) {
                parts.add(batch.input(), batch.y(), batch.cluster());
            }
            compare(parts.scores(), whole.scores(), Rounding.PROMISED_BETWEEN_BATCHES);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, digits-mlp.scripted.pt, digits.npz",
        "2, digits-mlp.scripted.pt, digits.npz",
        "8, digits-mlp.scripted.pt, digits.npz",
        "2, digits-cnn.scripted.pt, digits-images.npz",
        "8, digits-cnn.scripted.pt, digits-images.npz",
    })
    void threadsDoNotMatter(int threads, String file, String dataFile) throws Exception {
        Data data = Fixtures.data(dataFile);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try (Model model = Model.load(Fixtures.file(file));
                Attribution attribution = open(model)) {
            List<Future<?>> running = new ArrayList<>();
            for (Data batch : batches(data, 32)) {
                running.add(pool.submit(() -> attribution.add(batch.input(), batch.y(), batch.cluster())));
            }
            for (Future<?> each : running) {
                each.get();
            }
            compare(attribution.scores(), inOneBatch(model, data), Rounding.PROMISED_BETWEEN_BATCHES);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void threadsOfOneOperationDoNotMatter() throws Exception {
        Data data = Fixtures.data("digits-images.npz");
        try (Model model = Model.load(Fixtures.file("digits-cnn.scripted.pt"))) {
            Scores expected = inOneBatch(model, data);
            try {
                for (int threads : new int[] {1, 8}) {
                    PreGrad.setThreads(threads);
                    // The setting is for threads that have not computed yet.
                    ExecutorService fresh = Executors.newSingleThreadExecutor();
                    compare(
                            fresh.submit(() -> inOneBatch(model, data)).get(),
                            expected,
                            Rounding.PROMISED_BETWEEN_BATCHES);
                    fresh.shutdown();
                }
            } finally {
                PreGrad.setThreads(Runtime.getRuntime().availableProcessors());
            }
        }
    }

    @Test
    void repetitionGivesTheSameBits() {
        Data data = Fixtures.digits();
        try (Model model = Model.load(Fixtures.file("digits-mlp.traced.pt"))) {
            compare(inOneBatch(model, data), inOneBatch(model, data), 0);
        }
    }
}
