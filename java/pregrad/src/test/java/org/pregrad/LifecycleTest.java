package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.internal.CallsHere;
import org.pregrad.internal.Handle;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;

/** Whatever is called after, twice or at the same time as close is an exception or a wait, never a crash. */
@Timeout(LifecycleTest.PATIENCE_S)
class LifecycleTest {
    /** Ends what hangs; a hundred times what the longest test takes. */
    static final int PATIENCE_S = 1200;

    private static Model load() {
        return Model.load(Fixtures.file("digits-mlp.scripted.pt"));
    }

    @Test
    void whatIsClosedSaysSo() {
        Data data = Fixtures.digits().part(0, 8);
        Model model = load();
        Attribution attribution = model.attribution().layers("act1").open();
        attribution.add(data.input(), data.y());
        Scores scores = attribution.scores();
        model.close();
        attribution.close();
        assertThatThrownBy(model::layers)
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "Model " + Fixtures.file("digits-mlp.scripted.pt") + " is closed: use it inside its try block");
        assertThatThrownBy(() -> model.layers(1, 64)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.layers(data.input())).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.forward(data.input())).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.attribution().layers("act1").open()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.ablation().orders(orders()).open()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.check().layers("act1").open()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> attribution.add(data.input(), data.y())).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(attribution::scores).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(attribution::save).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> attribution.restore(new byte[0])).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> attribution.merge(new byte[0])).isInstanceOf(IllegalStateException.class);
        assertThat(scores.of("act1", 0, Method.GRADIENT).mean()).hasSize(128);
    }

    private static List<RemovalOrder> orders() {
        return RemovalOrder.random("act2", 0, 0, 64, 2, 0);
    }

    @Test
    void aMeasurementThatIsClosedSaysSo() {
        Data data = Fixtures.digits().part(0, 8);
        Model model = load();
        Ablation ablation = model.ablation().orders(orders()).open();
        model.close();
        ablation.add(data.input(), data.y());
        List<RemovalCurve> curves = ablation.curves();
        byte[] state = ablation.save();
        long live = Native.liveHandles();
        ablation.close();
        ablation.close();
        assertThat(Native.liveHandles()).isEqualTo(live - 1);
        assertThatThrownBy(() -> ablation.add(data.input(), data.y()))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage("Ablation of Model " + Fixtures.file("digits-mlp.scripted.pt")
                        + " is closed: use it inside its try block");
        assertThatThrownBy(ablation::curves).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(ablation::save).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ablation.restore(state)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ablation.merge(state)).isInstanceOf(IllegalStateException.class);
        assertThat(curves).hasSize(2);
    }

    @Test
    void aCheckThatIsClosedSaysSo() {
        Data data = Fixtures.digits().part(0, 2);
        Model model = load();
        Check check = model.check().layers("act2").mostNeurons(4).open();
        model.close();
        check.add(data.input(), data.y());
        assertThat(check.results()).hasSize(1);
        long live = Native.liveHandles();
        check.close();
        check.close();
        assertThat(Native.liveHandles()).isEqualTo(live - 1);
        assertThatThrownBy(() -> check.add(data.input(), data.y()))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage("Check of Model " + Fixtures.file("digits-mlp.scripted.pt")
                        + " is closed: use it inside its try block");
        assertThatThrownBy(check::results).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closingWaitsForThreadsThatMeasure() throws Exception {
        Data data = Fixtures.digits().part(0, 64);
        ExecutorService pool = Executors.newFixedThreadPool(2);
        try (Model model = load()) {
            for (int round = 0; round < 5; round++) {
                Ablation ablation = model.ablation().orders(orders()).open();
                Check check = model.check().layers("act2").open();
                AtomicInteger measured = new AtomicInteger();
                CountDownLatch computing = new CountDownLatch(2);
                List<Future<?>> workers = new ArrayList<>();
                for (Runnable batch : List.<Runnable>of(
                        () -> ablation.add(data.input(), data.y(), data.cluster()),
                        () -> check.add(data.input(), data.y()))) {
                    workers.add(pool.submit(() -> {
                        computing.countDown();
                        assertThatThrownBy(() -> {
                                    while (true) {
                                        batch.run();
                                        measured.incrementAndGet();
                                    }
                                })
                                .isExactlyInstanceOf(IllegalStateException.class)
                                .hasMessageEndingWith("is closed: use it inside its try block");
                    }));
                }
                computing.await();
                await(measured, round);
                ablation.close();
                check.close();
                for (Future<?> worker : workers) {
                    worker.get(PATIENCE_S, TimeUnit.SECONDS);
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    /** Until so many batches are done. */
    private static void await(AtomicInteger batches, int count) {
        while (batches.get() < count) {
            Thread.onSpinWait();
        }
    }

    @Test
    void closingTwiceIsClosingOnce() {
        Model model = load();
        long live = Native.liveHandles();
        model.close();
        model.close();
        assertThat(Native.liveHandles()).isEqualTo(live - 1);
    }

    @Test
    void anAttributionOutlivesItsModel() {
        Data data = Fixtures.digits().part(0, 8);
        Model model = load();
        try (Attribution attribution = model.attribution().layers("act1").open()) {
            model.close();
            attribution.add(data.input(), data.y());
            assertThat(attribution.scores().of("act1", 0, Method.GRADIENT).count())
                    .isEqualTo(8);
        }
    }

    @Test
    void snapshotsAreGivenBack() {
        Data data = Fixtures.digits().part(0, 8);
        try (Model model = load();
                Attribution attribution = model.attribution().layers("act1").open()) {
            attribution.add(data.input(), data.y());
            long live = Native.liveHandles();
            for (int i = 0; i < 100; i++) {
                attribution.scores();
            }
            assertThat(Native.liveHandles()).isEqualTo(live);
        }
    }

    @Test
    void closingWaitsForThreadsThatCompute() throws Exception {
        Data data = Fixtures.digits();
        ExecutorService pool = Executors.newFixedThreadPool(3);
        try {
            for (int round = 0; round < 20; round++) {
                Model model = load();
                Attribution attribution = model.attribution()
                        .layers("act1")
                        .methods(Fixtures.ONE_PASS_METHODS)
                        .open();
                CountDownLatch computing = new CountDownLatch(2);
                AtomicInteger batches = new AtomicInteger();
                List<Future<?>> workers = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    workers.add(pool.submit(() -> {
                        computing.countDown();
                        while (true) {
                            try {
                                attribution.add(data.input(), data.y(), data.cluster());
                                model.forward(data.input());
                                batches.incrementAndGet();
                            } catch (IllegalStateException closed) {
                                return;
                            }
                        }
                    }));
                }
                computing.await();
                await(batches, round);
                Future<?> second = pool.submit(attribution::close);
                attribution.close();
                model.close();
                second.get();
                for (Future<?> worker : workers) {
                    worker.get(PATIENCE_S, TimeUnit.SECONDS);
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void closingReturnsOnlyWhenNobodyIsInside() throws Exception {
        Loader.load();
        Handle handle = new Handle(CallsHere.HERE, Long.MAX_VALUE, "test");
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        ExecutorService pool = Executors.newSingleThreadExecutor();
        Future<Boolean> user = pool.submit(() -> handle.use((calls, id) -> {
            inside.countDown();
            try {
                return leave.await(PATIENCE_S, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IllegalArgumentException(e);
            }
        }));
        inside.await();
        Thread closer = new Thread(handle::close);
        closer.start();
        while (closer.isAlive() && closer.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        assertThat(closer.isAlive()).isTrue();
        leave.countDown();
        closer.join();
        assertThat(user.get()).isTrue();
        assertThatThrownBy(() -> handle.use((calls, id) -> id))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("test is closed: use it inside its try block");
        pool.shutdown();
    }

    @Test
    void anInterruptedCloseStillCloses() {
        Model model = load();
        long live = Native.liveHandles();
        Thread.currentThread().interrupt();
        model.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Native.liveHandles()).isEqualTo(live - 1);
    }

    @Test
    void sixteenThreadsShareOneModel() throws Exception {
        Data data = Fixtures.digits();
        ExecutorService pool = Executors.newFixedThreadPool(16);
        try (Model model = load();
                Attribution attribution =
                        model.attribution().layers("act1", "act2").open()) {
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                Data part = data.part(100 * i, 100 * i + 100);
                workers.add(pool.submit(() -> {
                    for (int round = 0; round < 20; round++) {
                        attribution.add(part.input(), part.y(), part.cluster());
                        attribution.scores();
                        model.layers(1, 64);
                        assertThatThrownBy(() -> model.layers(1, 63)).isInstanceOf(InputException.class);
                    }
                }));
            }
            for (Future<?> worker : workers) {
                worker.get();
            }
            assertThat(attribution.scores().all().stream()
                            .filter(score -> score.layer().equals("act1"))
                            .mapToLong(Score::count)
                            .sum())
                    .isEqualTo(16 * 20 * 100);
        } finally {
            pool.shutdownNow();
        }
    }

    /** Forgets to close a model. */
    public static final class Leak {
        private Leak() {}

        public static void main(String[] arguments) throws InterruptedException {
            load();
            long live = Native.liveHandles();
            for (int i = 0; i < 10_000 && Native.liveHandles() == live; i++) {
                System.gc();
                Thread.sleep(1); // the collector's thread closes it
            }
            System.out.println(live + " before, " + Native.liveHandles() + " after");
        }
    }

    @Test
    void whatNobodyClosesIsReportedAndGivenBack(@TempDir Path folder) throws Exception {
        Child child = Child.run(
                        folder,
                        Leak.class,
                        Child.CLASS_PATH,
                        List.of(
                                "-Dpregrad.fixtures=" + Fixtures.folder(),
                                "-Dpregrad.libtorch=" + System.getProperty("pregrad.libtorch", "")),
                        Map.of())
                .succeeded();
        assertThat(child.out()).containsExactly("1 before, 0 after");
        assertThat(child.err())
                .containsOnlyOnce("Model " + Fixtures.file("digits-mlp.scripted.pt")
                        + " was never closed: its native memory was held until now; use try-with-resources");
    }
}
