package org.pregrad.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.pregrad.Model;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.data.FoundClusters;
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
                    + " if there is one, else all samples are cluster 0). " + FoundClusters.FORM
                    + " finds K clusters by k-means over the activations of a layer, or over input:NAME or all inputs, by"
                    + " --seed, and writes them to DIR/clusters.csv.")
    private String clusters;

    private final ClusterNames names = new ClusterNames();
    private final Map<Path, long[]> assigned = new ConcurrentHashMap<>();

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

    /**
     * Opens a file with the same names of arrays, and those that begin so; the caller closes it.
     *
     * @param corrupt see {@link Dataset#withCorrupt}; null for none
     */
    public Dataset open(Path file, Model model, Needed needed, String corrupt) {
        Dataset opened = open(file, model, needed);
        return corrupt == null ? opened : opened.withCorrupt(corrupt);
    }

    /**
     * Finds the clusters, if {@code --clusters} asks for that.
     *
     * @param files whose samples get clusters; those of the first decide where these lie
     */
    public void find(Model model, TargetOptions target, int batchSize, long seed, List<Path> files) throws IOException {
        FoundClusters wanted = FoundClusters.of(clusters);
        if (wanted == null) {
            return;
        }
        FoundClusters.Centres centres = null;
        for (Path file : files) {
            try (Dataset samples = open(file, model, target.needed())) {
                List<double[]> values = wanted.values(model, target.applyTo(model.attribution()), samples, batchSize);
                centres = centres == null ? wanted.centres(values, seed) : centres;
                assigned.put(file, centres.nearest(values));
            }
        }
    }

    /** The clusters that were found in a file; null if none were. */
    public long[] assigned(Path file) {
        return assigned.get(file);
    }

    /** Opens another file with the same names of arrays; the caller closes it. */
    public Dataset open(Path file, Model model, Needed needed) {
        if (FoundClusters.of(clusters) != null) {
            Dataset opened = Dataset.open(file, data.names(needed, null, false, names), model.inputs());
            return assigned.containsKey(file) ? opened.withClusters(clusters, assigned.get(file)) : opened;
        }
        String name = clusters == null ? CLUSTERS : clusters;
        return Dataset.open(file, data.names(needed, name, clusters != null, names), model.inputs());
    }
}
