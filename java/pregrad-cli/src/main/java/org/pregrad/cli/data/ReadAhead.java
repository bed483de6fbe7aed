package org.pregrad.cli.data;

import java.util.concurrent.Future;
import org.pregrad.cli.threads.Workers;

/** Reads the next batch while the caller computes with those it has. */
public final class ReadAhead implements AutoCloseable {
    private final Workers reader = new Workers("pregrad-read-ahead", 1);
    private final Dataset data;
    private final int batchSize;
    private Future<Batch> pending;

    /** @param inUse how many batches the caller computes with at once */
    public ReadAhead(Dataset data, int batchSize, int inUse) {
        this.data = data;
        this.batchSize = batchSize;
        data.keep(inUse + 1);
        this.pending = read();
    }

    /** The next batch, null after the last. Of those before it, all but {@code inUse} − 1 must not be used any more. */
    public Batch next() throws InterruptedException {
        Batch batch = Workers.result(pending);
        if (batch != null) {
            pending = read();
        }
        return batch;
    }

    private Future<Batch> read() {
        return reader.begin(() -> data.next(batchSize));
    }

    /** Waits for a read under way, so that the data may be closed afterwards. */
    @Override
    public void close() {
        reader.close();
    }
}
