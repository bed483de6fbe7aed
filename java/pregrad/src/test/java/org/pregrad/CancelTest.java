package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that would never end: {@link Model#cancel()}, an interrupt of their thread and a time limit end them. */
class CancelTest {
    private static final int SAMPLES = 4;
    private static final long[] LABELS = {0, 1, 2, 0};

    private static Model load() {
        return Model.load(Fixtures.file("special/endless.scripted.pt"));
    }

    /** The model's forward ends with these. */
    private static Input some() {
        float[] x = new float[SAMPLES * 6];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i + 1);
        }
        return Input.of(x, SAMPLES, 6);
    }

    /** With these it never does. */
    private static Input endless() {
        float[] x = new float[SAMPLES * 6];
        Arrays.fill(x, 1000);
        return Input.of(x, SAMPLES, 6);
    }

    private static Attribution attribution(Model model) {
        return model.attribution().layers("act").methods(Method.GRADIENT).open();
    }

    /** Does something to a call that runs, again and again until it has ended. */
    private static void meanwhile(ThrowingCallable call, Runnable action) throws Throwable {
        Thread other = new Thread(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                action.run();
                Thread.onSpinWait();
            }
        });
        other.start();
        try {
            call.call();
        } finally {
            other.interrupt();
            boolean interrupted = Thread.interrupted();
            other.join();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void cancelEndsWhatRuns() {
        try (Model model = load()) {
            assertThatThrownBy(() -> meanwhile(() -> model.forward(endless()), model::cancel))
                    .isInstanceOf(CancelledException.class)
                    .hasMessageContaining("was cancelled");
            model.cancel();
            assertThat(model.forward(some()).shape()).containsExactly(SAMPLES, 3);
        }
    }

    @Test
    void nothingOfACancelledBatchCounts() {
        try (Model model = load();
                Attribution attribution = attribution(model)) {
            attribution.add(some(), LABELS);
            byte[] before = attribution.save();
            assertThatThrownBy(() -> meanwhile(() -> attribution.add(endless(), LABELS), model::cancel))
                    .isInstanceOf(CancelledException.class);
            assertThat(attribution.save()).isEqualTo(before);
            attribution.add(some(), LABELS);
            assertThat(attribution.save()).isNotEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptEndsALongCallAndIsKept(boolean isolated) throws InterruptedException {
        Model.Options options = Model.Options.defaults();
        try (Model model =
                Model.load(Fixtures.file("special/endless.scripted.pt"), isolated ? options.isolated() : options)) {
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            AtomicReference<Boolean> flag = new AtomicReference<>();
            Thread worker = new Thread(() -> {
                try {
                    model.forward(endless());
                } catch (RuntimeException e) {
                    thrown.set(e);
                    flag.set(Thread.currentThread().isInterrupted());
                }
            });
            worker.start();
            worker.interrupt();
            worker.join();
            assertThat(thrown.get()).isInstanceOf(CancelledException.class).hasMessageContaining("interrupted");
            assertThat(flag.get()).isTrue();
            assertThat(model.forward(some()).shape()).containsExactly(SAMPLES, 3);
        }
    }

    @Test
    void aShortCallOfAnInterruptedThreadIsNoMatter() {
        try (Model model = load()) {
            model.forward(some());
            Thread.currentThread().interrupt();
            model.inputs();
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void cancelEndsWhatRunsInAProcessOfItsOwn() {
        try (Model model = Model.load(
                Fixtures.file("special/endless.scripted.pt"),
                Model.Options.defaults().isolated())) {
            assertThatThrownBy(() -> meanwhile(() -> model.forward(endless()), model::cancel))
                    .isExactlyInstanceOf(CancelledException.class)
                    .hasMessageContaining("was cancelled");
            assertThat(model.forward(some()).shape()).containsExactly(SAMPLES, 3);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTimeLimitEndsCallsThatNeverEnd(boolean isolated) {
        Model.Options options = Model.Options.defaults();
        try (Model model = limited(isolated ? options.isolated() : options)) {
            assertThatThrownBy(() -> model.forward(endless()))
                    .isInstanceOf(CancelledException.class)
                    .hasMessageContaining("time limit of");
            assertThat(model.forward(some()).shape()).containsExactly(SAMPLES, 3);
        }
    }

    /** With a limit that loading, and a call that ends, keep to however busy the machine is. */
    private static Model limited(Model.Options options) {
        for (Duration limit = Duration.ofMillis(200); ; limit = limit.multipliedBy(2)) {
            try {
                return Model.load(Fixtures.file("special/endless.scripted.pt"), options.timeLimit(limit));
            } catch (CancelledException e) {
                assertThat(e).hasMessageContaining("time limit of");
            }
        }
    }
}
