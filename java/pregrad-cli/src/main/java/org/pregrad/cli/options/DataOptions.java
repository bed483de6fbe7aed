package org.pregrad.cli.options;

import java.nio.file.Path;
import java.util.List;
import org.pregrad.Model;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.ArrayNames.Labels;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.options.TargetOptions.Needed;
import org.pregrad.cli.output.ClusterNames;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which samples a command looks at, with their labels. */
public final class DataOptions {
    private static final String DEFAULT_LABELS = "y";

    @Option(
            names = "--data",
            required = true,
            paramLabel = "D.npz",
            description = "The samples, as numpy.savez writes them; inputs alone as numpy.save does, too.")
    private Path data;

    @Mixin
    private InputsOption inputs;

    @Option(
            names = "--labels",
            paramLabel = "NAME",
            description =
                    "The array of labels in the data, integers, one per sample, or one per position with -100 for those"
                            + " that do not count (default: " + DEFAULT_LABELS
                            + "; only read where labels are needed).")
    private String labels;

    @Option(
            names = "--label-names",
            split = ",",
            paramLabel = "NAME",
            description = "What the outputs are called, in their order, for labels that are text (default: the array"
                    + " label_names in the data).")
    private List<String> labelNames = List.of();

    /** The data's file. */
    public Path file() {
        return data;
    }

    /** Opens the data without clusters, for a model; the caller closes it. */
    public Dataset open(Model model, Needed needed) {
        return Dataset.open(data, names(needed, null, false, new ClusterNames()), model.inputs());
    }

    ArrayNames names(Needed needed, String clusters, boolean clustersWanted, ClusterNames clusterNames) {
        boolean byDefault = labels == null && needed.labels() != Labels.UNUSED;
        boolean unlike = labels != null && needed.labels() != Labels.WEIGHTS;
        return new ArrayNames(
                inputs.names(needed.mask()),
                byDefault ? DEFAULT_LABELS : labels,
                // Those that the user names are wanted, whatever the target.
                unlike ? Labels.TRUTH : needed.labels(),
                clusters,
                clustersWanted,
                clusterNames,
                labelNames);
    }
}
