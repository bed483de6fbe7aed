package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.Model;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.options.TargetOptions.Needed;
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

    /** Opens the data for a model; the caller closes it. */
    public Dataset open(Model model, Needed needed) {
        return open(file(), model, needed);
    }

    /**
     * Opens a file with the same names of arrays, and those that begin so; the caller closes it.
     *
     * @param corrupt see {@link Dataset#withCorrupt}; null for none
     */
    public Dataset open(Path file, Model model, Needed needed, String corrupt) {
        Dataset opened = open(file, model, needed);
        return corrupt == null ? opened : opened.withCorrupt(corrupt);
    }

    /** Opens another file with the same names of arrays; the caller closes it. */
    public Dataset open(Path file, Model model, Needed needed) {
        String name = clusters == null ? CLUSTERS : clusters;
        return Dataset.open(file, data.names(needed, name, clusters != null), model.inputs());
    }
}
