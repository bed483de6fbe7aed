package org.pregrad.cli.run;

import java.io.IOException;
import java.util.function.Supplier;
import org.pregrad.InputException;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.data.ReadAhead;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.progress.Progress;

/**
 * Samples that may be passed over many times.
 *
 * @param source    opens them at their start
 * @param batchSize how many make a batch
 * @param atOnce    how many batches run at once
 * @param notes     hears of what the device cannot do
 */
public record Samples(Supplier<Dataset> source, int batchSize, int atOnce, DeviceNotes notes) {
    /** Adds all batches that {@code checkpoint} does not have yet. */
    void passOver(Accumulator.Kept to, Checkpoint checkpoint, Progress progress)
            throws IOException, InterruptedException {
        passOver(to, checkpoint, to, progress);
    }

    /** Adds all batches. */
    public void passOver(Accumulator to, Progress progress) throws IOException, InterruptedException {
        passOver(to, Checkpoint.NONE, null, progress);
    }

    /** @param kept {@code to}; null with {@link Checkpoint#NONE} */
    private void passOver(Accumulator to, Checkpoint checkpoint, Accumulator.Kept kept, Progress progress)
            throws IOException, InterruptedException {
        Checkpoint.Reached reached = checkpoint.restore(kept);
        try (Dataset data = source.get()) {
            if (reached.finished()) {
                progress.add(data.samples());
                return;
            }
            long batches = 0;
            try (ReadAhead ahead = new ReadAhead(data, batchSize, atOnce);
                    BatchesAtOnce running = new BatchesAtOnce(atOnce, batch -> {
                        add(batch, to);
                        progress.add(batch.samples());
                    })) {
                for (Batch next = ahead.next(); next != null; next = ahead.next()) {
                    batches++;
                    if (batches <= reached.batches()) {
                        progress.add(next.samples());
                        continue;
                    }
                    running.add(next);
                    if (checkpoint.isDue()) {
                        running.await();
                        checkpoint.reach(batches, kept);
                    }
                }
                running.await();
            }
            checkpoint.finish(batches, kept);
        }
    }

    /** Adds the first batch alone. */
    void firstBatch(Accumulator to) throws IOException {
        try (Dataset data = source.get()) {
            add(data.next(batchSize), to);
        }
    }

    private void add(Batch next, Accumulator to) {
        try {
            to.add(to.takesCorrupt() ? next.inputsWithCorrupt() : next.inputs(), next.targets(), next.clusters());
        } catch (InputException e) {
            // The core counts samples from the batch's start.
            throw next.first() == 0
                    ? e
                    : new UserException(e.getMessage() + " (counted from sample " + next.first() + ")", e);
        }
        notes.look(next.samples(), to.batchesSplit(), to.graphRefusal());
    }
}
