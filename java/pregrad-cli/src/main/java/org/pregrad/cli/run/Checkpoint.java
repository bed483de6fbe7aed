package org.pregrad.cli.run;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.pregrad.ArgumentException;
import org.pregrad.cli.output.StateFile;

/** Keeps on disk what a pass has reached: at its end, and before at most about once a second. */
public final class Checkpoint {
    /** For runs that are not worth it. */
    public static final Checkpoint NONE = new Checkpoint(null);

    private static final long INTERVAL_NS =
            TimeUnit.MILLISECONDS.toNanos(Long.getLong("pregrad.checkpoint.interval.ms", 1000));

    private final StateFile file;
    private long written = System.nanoTime();

    public Checkpoint(StateFile file) {
        this.file = file;
    }

    /** How far a pass had come: {@code batches} were added, and these were all if {@code finished}. */
    record Reached(long batches, boolean finished) {}

    /** Gives back what was kept, if anything was. */
    Reached restore(Accumulator.Kept to) {
        Optional<StateFile.Saved> saved = file == null ? Optional.empty() : file.read();
        if (saved.isEmpty()) {
            return new Reached(0, false);
        }
        try {
            to.restore(saved.get().state());
        } catch (ArgumentException e) {
            throw file.unusable(e);
        }
        return new Reached(saved.get().batches(), saved.get().finished());
    }

    /** Whether it is time to keep what the pass has reached. */
    boolean isDue() {
        return file != null && System.nanoTime() - written >= INTERVAL_NS;
    }

    /** Keeps it: the first {@code batches} were added by now, and no other. */
    void reach(long batches, Accumulator.Kept of) {
        write(batches, false, of);
    }

    /** After the last batch. */
    void finish(long batches, Accumulator.Kept of) {
        if (file != null) {
            write(batches, true, of);
        }
    }

    private void write(long batches, boolean finished, Accumulator.Kept of) {
        file.write(new StateFile.Saved(batches, finished, of.save()));
        written = System.nanoTime();
    }
}
