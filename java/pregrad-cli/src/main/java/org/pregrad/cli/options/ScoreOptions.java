package org.pregrad.cli.options;

import java.util.List;
import org.pregrad.Aggregate;
import org.pregrad.Positions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is scored and how, and how neurons are ranked. */
public final class ScoreOptions {
    @Mixin
    private LayersOption layers;

    @Mixin
    private TargetOptions target;

    @Option(
            names = "--aggregate",
            arity = "1..*",
            split = ",",
            defaultValue = "mean,mean_abs",
            paramLabel = "AGGREGATE",
            description = "What neurons are ranked by inside a cluster: ${COMPLETION-CANDIDATES} (default:"
                    + " ${DEFAULT-VALUE}). May be repeated.")
    private List<Aggregate> aggregates;

    @Option(
            names = "--positions",
            defaultValue = "together",
            paramLabel = "POSITIONS",
            description = "Whether a layer's positions (tokens, pixels) are scored ${COMPLETION-CANDIDATES} (default:"
                    + " ${DEFAULT-VALUE}). With each, scores.csv has a row per position and neuron, by whose mean over"
                    + " the positions the page draws a neuron; curves have no positions.")
    private Positions positions;

    @Option(
            names = "--no-cuda-graphs",
            description = "On a CUDA device, start each operation of a batch by itself. Without this, what is done with"
                    + " batches of one shape is recorded when that shape comes for the third time, and replayed.")
    private boolean noCudaGraphs;

    public List<String> layers() {
        return layers.names();
    }

    public TargetOptions target() {
        return target;
    }

    public List<Aggregate> aggregates() {
        return Choices.distinct(aggregates);
    }

    public Positions positions() {
        return positions;
    }

    public boolean cudaGraphs() {
        return !noCudaGraphs;
    }
}
