package org.pregrad.cli.data;

/**
 * Which arrays of the data file are what.
 *
 * @param inputs         the model's input, one sample per entry of the first axis
 * @param labels         one integer per sample; null if the labels are not needed
 * @param clusters       one integer per sample; null if all samples are cluster 0
 * @param clustersWanted whether the clusters' name was given, so that its absence is an error
 * @param targetOnly     whether the labels serve as targets alone, so that another target does without them
 */
public record ArrayNames(String inputs, String labels, String clusters, boolean clustersWanted, boolean targetOnly) {
    /** Labels that nothing does without. */
    public ArrayNames(String inputs, String labels, String clusters, boolean clustersWanted) {
        this(inputs, labels, clusters, clustersWanted, false);
    }

    /** Inputs alone. */
    public static ArrayNames inputsOnly(String inputs) {
        return new ArrayNames(inputs, null, null, false);
    }
}
