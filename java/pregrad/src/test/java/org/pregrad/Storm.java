package org.pregrad;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.pregrad.internal.Native;

/**
 * Sixteen threads use one model and its attributions while they close, cancel, interrupt and collect each other's: each call
 * ends with its result or one of the exceptions that say so. A program: {@code Storm FIRST COUNT}, seeds of rounds.
 */
public final class Storm {
    private static final int THREADS = 16;
    private static final int ACTIONS = 60;
    private static final int SLOTS = 4;
    private static final int SAMPLES = 4;
    private static final int FEATURES = 64;
    private static final long[] LABELS = {1, 2, 3, 4};

    private final Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
    private final AtomicReferenceArray<Attribution> slots = new AtomicReferenceArray<>(SLOTS);
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    private Storm() {}

    public static void main(String[] arguments) throws Exception {
        long first = Long.parseLong(arguments[0]);
        long count = Long.parseLong(arguments[1]);
        PreGrad.setThreads(1);
        long done = 0;
        long refused = 0;
        for (long seed = first; seed < first + count; seed++) {
            Storm storm = new Storm();
            try {
                storm.run(seed);
            } catch (IllegalStateException e) {
                throw new IllegalStateException("seed " + seed, e);
            }
            done += storm.done.get();
            refused += storm.refused.get();
        }
        System.out.println(count + " rounds, done " + (done > 0) + ", refused " + (refused > 0) + ", handles left "
                + Native.liveHandles());
        System.err.println(done + " calls, " + refused + " refused");
        System.exit(0);
    }

    private void run(long seed) throws Exception {
        CyclicBarrier begin = new CyclicBarrier(THREADS);
        SplittableRandom seeds = new SplittableRandom(seed);
        for (int i = 0; i < THREADS; i++) {
            SplittableRandom random = seeds.split();
            threads.add(new Thread(() -> {
                try {
                    begin.await();
                    for (int action = 0; action < ACTIONS && failure.get() == null; action++) {
                        attempt(random);
                    }
                } catch (Exception e) {
                    failure.compareAndSet(null, e);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            close(slots.getAndSet(slot, null));
        }
        model.close();
        if (failure.get() != null) {
            throw new IllegalStateException("a thread of the storm failed", failure.get());
        }
    }

    private void attempt(SplittableRandom random) {
        try {
            act(random);
            done.incrementAndGet();
        } catch (CancelledException | IllegalStateException e) {
            refused.incrementAndGet();
        } finally {
            Thread.interrupted();
        }
    }

    private void act(SplittableRandom random) {
        int slot = random.nextInt(SLOTS);
        Attribution attribution = slots.get(slot);
        switch (random.nextInt(24)) {
            case 0 -> close(slots.getAndSet(slot, null));
            case 1 -> model.cancel();
            case 2, 3 -> threads.get(random.nextInt(THREADS)).interrupt();
            case 4 -> System.gc();
            case 5 -> Thread.currentThread().interrupt();
            case 6 -> model.forward(input());
            case 7 -> model.layers(1, FEATURES);
            case 8 -> {
                if (random.nextInt(THREADS * ACTIONS / 24) == 0) {
                    model.close();
                }
            }
            case 9 -> model.inputs();
            default -> {
                if (attribution == null) {
                    close(slots.getAndSet(
                            slot,
                            model.attribution()
                                    .layers("act1", "act2")
                                    .methods(Method.GRADIENT, Method.ACTIVATION)
                                    .open()));
                    return;
                }
                switch (random.nextInt(5)) {
                    case 0 -> attribution.scores().all();
                    case 1 -> attribution.merge(attribution.save());
                    case 2 -> attribution.restore(attribution.save());
                    default -> attribution.add(input(), LABELS);
                }
            }
        }
    }

    private static Input input() {
        return Input.of(new float[SAMPLES * FEATURES], SAMPLES, FEATURES);
    }

    private static void close(Attribution attribution) {
        if (attribution != null) {
            attribution.close();
        }
    }
}
