package org.pregrad.cli.options;

import java.nio.file.Path;
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
    public Dataset open(DataOptions.Labels labels) {
        return open(file(), labels);
    }

    /** Opens another file with the same names of arrays; the caller closes it. */
    public Dataset open(Path file, DataOptions.Labels labels) {
        return Dataset.open(file, data.names(labels, clusters == null ? CLUSTERS : clusters, clusters != null));
    }
}
