package org.pregrad.cli.run;

import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Tells, once each, what a device cannot do and what that costs, of batches on any thread; and what takes much memory. */
public final class DeviceNotes {
    private static final long WORTH_TELLING = 1_000_000_000;

    private final Consumer<String> to;
    private boolean toldOfMemory;
    private boolean toldOfGraphs;

    public DeviceNotes(Consumer<String> to) {
        this.to = to;
    }

    /** Tells, before samples are scored at each position, what their sums and scores will take if that is much. */
    void tellMemory(long bytes) {
        if (bytes >= WORTH_TELLING) {
            to.accept(String.format(
                    Locale.ROOT,
                    "the scores of all positions will take about %.1f GB of memory; fewer layers, methods or clusters, or"
                            + " --positions together, take less",
                    bytes / 1e9));
        }
    }

    /** After a batch of so many samples was added: how often one was split, and why one cannot be recorded. */
    synchronized void look(int samples, long batchesSplit, Optional<String> graphRefusal) {
        if (!toldOfMemory && batchesSplit > 0) {
            toldOfMemory = true;
            to.accept("a batch of " + samples + " samples did not fit into the device's memory and was added in halves;"
                    + " a smaller --batch-size saves the runs that fail");
        }
        // Without memory there is none for recordings either.
        if (!toldOfGraphs && !toldOfMemory) {
            graphRefusal.ifPresent(reason -> {
                toldOfGraphs = true;
                to.accept("some batches run without a CUDA graph (" + reason + "): the scores are the same, and"
                        + " --no-cuda-graphs saves the attempt");
            });
        }
    }
}
