package org.pregrad.cli.run;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.threads.Workers;

/**
 * Adds batches on several threads at once: while one goes up to a device, or waits for its results, another computes.
 * The core's sums are the same whichever comes first.
 */
final class BatchesAtOnce implements AutoCloseable {
    private final int most;
    private final Consumer<Batch> add;
    private final Workers workers;
    private final Queue<Future<?>> running = new ArrayDeque<>();

    /** @param most how many at once; 1 adds on the caller's thread */
    BatchesAtOnce(int most, Consumer<Batch> add) {
        this.most = most;
        this.add = add;
        this.workers = most == 1 ? null : new Workers("pregrad-batch", most);
    }

    /**
     * Begins to add a batch. When this returns there is room for one more: those before the last {@code most} − 1 are done,
     * and what the first of them threw was thrown here.
     */
    void add(Batch batch) throws InterruptedException {
        if (workers == null) {
            add.accept(batch);
            return;
        }
        running.add(workers.begin(() -> {
            add.accept(batch);
            return null;
        }));
        await(most - 1);
    }

    /** Waits until all are added. */
    void await() throws InterruptedException {
        await(0);
    }

    private void await(int left) throws InterruptedException {
        while (running.size() > left) {
            Workers.result(running.remove());
        }
    }

    /** Waits for those under way, whatever becomes of them. */
    @Override
    public void close() {
        if (workers != null) {
            workers.close();
        }
    }
}
