package org.pregrad.cli.run;

import java.util.Optional;
import java.util.function.Consumer;

/** Tells, once each, what a device cannot do and what that costs; of batches on any thread. */
public final class DeviceNotes {
    private final Consumer<String> to;
    private boolean toldOfMemory;
    private boolean toldOfGraphs;

    public DeviceNotes(Consumer<String> to) {
        this.to = to;
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
