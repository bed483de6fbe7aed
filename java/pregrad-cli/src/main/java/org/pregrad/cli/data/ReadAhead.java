package org.pregrad.cli.data;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Reads the next batch while the caller computes with the one it has. */
public final class ReadAhead implements AutoCloseable {
    private final ExecutorService reader = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "pregrad-read-ahead");
        thread.setDaemon(true);
        return thread;
    });
    private final Dataset data;
    private final int batchSize;
    private Future<Batch> pending;

    public ReadAhead(Dataset data, int batchSize) {
        this.data = data;
        this.batchSize = batchSize;
        this.pending = reader.submit(() -> data.next(batchSize));
    }

    /** The next batch, null after the last. The batch before it must not be used any more. */
    public Batch next() throws InterruptedException {
        try {
            Batch batch = pending.get();
            if (batch != null) {
                pending = reader.submit(() -> data.next(batchSize));
            }
            return batch;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException problem) {
                throw problem;
            }
            if (e.getCause() instanceof Error problem) {
                throw problem;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Waits for a read under way, so that the data may be closed afterwards. */
    @Override
    public void close() {
        reader.shutdown();
        boolean interrupted = false;
        while (!reader.isTerminated()) {
            try {
                reader.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
