package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Dataset;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which samples a command looks at, with their labels and clusters. */
public final class SampleOptions {
    private static final String LABELS = "y";
    private static final String CLUSTERS = "cluster";

    @Option(
            names = "--data",
            required = true,
            paramLabel = "D.npz",
            description = "The samples, as numpy.savez writes them.")
    private Path data;

    @Mixin
    private InputsOption inputs;

    @Option(
            names = "--labels",
            paramLabel = "NAME",
            description = "The array of labels in the data, integers (default: " + LABELS
                    + "; only needed for --target label).")
    private String labels;

    @Option(
            names = "--clusters",
            paramLabel = "NAME",
            description = "The array of clusters in the data, integers (default: " + CLUSTERS
                    + " if there is one, else all samples are cluster 0).")
    private String clusters;

    /** The data's file. */
    public Path file() {
        return data;
    }

    /** Opens the data; the caller closes it. */
    public Dataset open(boolean labelsNeeded) {
        return Dataset.open(data, names(labelsNeeded));
    }

    /** Which arrays are read. */
    public ArrayNames names(boolean labelsNeeded) {
        String labelArray = labels == null && labelsNeeded ? LABELS : labels;
        return new ArrayNames(inputs.name(), labelArray, clusters == null ? CLUSTERS : clusters, clusters != null);
    }
}
