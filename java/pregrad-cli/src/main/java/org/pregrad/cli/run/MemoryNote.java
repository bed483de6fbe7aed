package org.pregrad.cli.run;

import java.util.function.Consumer;

/** Tells once that batches do not fit into the device's memory, which costs time. */
public final class MemoryNote {
    private final Consumer<String> to;
    private boolean told;

    public MemoryNote(Consumer<String> to) {
        this.to = to;
    }

    /** After a batch of so many samples was added. */
    void look(Accumulator of, int samples) {
        if (!told && of.batchesSplit() > 0) {
            told = true;
            to.accept("a batch of " + samples + " samples did not fit into the device's memory and was added in halves;"
                    + " a smaller --batch-size saves the runs that fail");
        }
    }
}
