package org.pregrad.cli.data;

import java.util.List;
import org.pregrad.cli.output.ClusterNames;

/**
 * Which arrays of the data file are what.
 *
 * @param inputs         the model's inputs, one sample per entry of the first axis
 * @param labels         per sample, or per sample and position; null if the labels are not needed
 * @param use            what the labels serve for
 * @param clusters       one integer per sample; null if all samples are cluster 0
 * @param clustersWanted whether the clusters' name was given, so that its absence is an error
 * @param names          what clusters are called, which those of the file are added to
 * @param labelNames     what the outputs are called, in their order; empty if no option tells
 */
public record ArrayNames(
        InputNames inputs,
        String labels,
        Labels use,
        String clusters,
        boolean clustersWanted,
        ClusterNames names,
        List<String> labelNames) {
    /** Of numbers alone, or of names that nobody else must know. */
    public ArrayNames(InputNames inputs, String labels, Labels use, String clusters, boolean clustersWanted) {
        this(inputs, labels, use, clusters, clustersWanted, new ClusterNames(), List.of());
    }

    /** What labels serve for; those that the user names are read anyway. */
    public enum Labels {
        UNUSED,
        /** As targets alone: another target does without them. */
        TARGETS,
        /** As what the model should have said. */
        TRUTH,
        /** As weights of the outputs, and so no integers. */
        WEIGHTS
    }

    /** Inputs alone. */
    public static ArrayNames inputsOnly(InputNames inputs) {
        return new ArrayNames(inputs, null, Labels.UNUSED, null, false);
    }
}
