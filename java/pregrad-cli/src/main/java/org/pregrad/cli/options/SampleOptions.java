package org.pregrad.cli.options;

import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.pregrad.Model;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.TargetOptions.Needed;
import org.pregrad.cli.output.ClusterNames;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which samples a command looks at, with their labels and clusters. */
public final class SampleOptions {
    private static final String CLUSTERS = "cluster";
    private static final int LISTED = 24;

    @Mixin
    private DataOptions data;

    @Option(
            names = "--clusters",
            paramLabel = "NAME",
            description = "The array of clusters in the data, integers or text (default: " + CLUSTERS
                    + " if there is one, else all samples are cluster 0).")
    private String clusters;

    private final ClusterNames names = new ClusterNames();

    /** What clusters are called; of no names before the data is opened. */
    public ClusterNames clusterNames() {
        return names;
    }

    /**
     * The number of a cluster that was named by an option.
     *
     * @throws UserException if the samples have no such cluster
     */
    public long cluster(String option, String given, Dataset samples) {
        Set<Long> known = samples.clusterSizes().keySet();
        long number = names.any() ? names.number(given) : parsed(option, given);
        if (!known.contains(number)) {
            String listed = known.stream().limit(LISTED).map(names::name).collect(Collectors.joining(", "));
            throw new UserException("there is no cluster " + given + " for " + option + " in data file " + file()
                    + "; it has " + listed + (known.size() > LISTED ? " and others" : ""));
        }
        return number;
    }

    private static long parsed(String option, String given) {
        try {
            return Long.parseLong(given);
        } catch (NumberFormatException e) {
            throw new UserException(
                    option + " " + given + " is no cluster: clusters are numbers in this data; give one of them", e);
        }
    }

    /** The data's file. */
    public Path file() {
        return data.file();
    }

    /** Opens the data for a model; the caller closes it. */
    public Dataset open(Model model, Needed needed) {
        return open(file(), model, needed);
    }

    /** Opens another file with the same names of arrays; the caller closes it. */
    public Dataset open(Path file, Model model, Needed needed) {
        String name = clusters == null ? CLUSTERS : clusters;
        return Dataset.open(file, data.names(needed, name, clusters != null, names), model.inputs());
    }
}
