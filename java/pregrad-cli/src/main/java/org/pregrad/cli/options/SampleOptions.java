package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Dataset;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which samples a command looks at, with their labels and clusters. */
public final class SampleOptions {
    private static final String CLUSTERS = "cluster";

    @Mixin
    private DataOptions data;

    @Option(
            names = "--clusters",
            paramLabel = "NAME",
            description = "The array of clusters in the data, integers (default: " + CLUSTERS
                    + " if there is one, else all samples are cluster 0).")
    private String clusters;

    /** The data's file. */
    public Path file() {
        return data.file();
    }

    /** Opens the data; the caller closes it. */
    public Dataset open(boolean labelsNeeded) {
        return open(file(), labelsNeeded);
    }

    /** Opens another file with the same names of arrays; the caller closes it. */
    public Dataset open(Path file, boolean labelsNeeded) {
        return Dataset.open(file, names(labelsNeeded));
    }

    private ArrayNames names(boolean labelsNeeded) {
        return new ArrayNames(
                data.inputs(), data.labels(labelsNeeded), clusters == null ? CLUSTERS : clusters, clusters != null);
    }
}
