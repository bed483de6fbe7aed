package org.pregrad.cli.run;

import java.io.IOException;
import org.pregrad.Attribution;
import org.pregrad.Pruning;
import org.pregrad.cli.progress.Progress;

/** The passes of {@code pregrad prune} over the samples. */
public final class PruningRun {
    private PruningRun() {}

    /** Scores all samples as one cluster. */
    public static void score(Attribution attribution, Samples samples, Progress progress)
            throws IOException, InterruptedException {
        samples.passOver(Accumulator.of(attribution), Checkpoint.NONE, progress);
    }

    /** @param labelled whether the labels are classes, so that there is an accuracy */
    public static void measure(Pruning pruning, Samples samples, boolean labelled, Progress progress)
            throws IOException, InterruptedException {
        samples.passOver(Accumulator.of(pruning, labelled), Checkpoint.NONE, progress);
    }
}
