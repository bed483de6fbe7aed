package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Dataset;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which samples a command looks at, with their labels. */
public final class DataOptions {
    /** What the labels serve for; those that the user names are read anyway. */
    public enum Labels {
        UNUSED,
        /** As targets alone: another target does without them. */
        TARGETS,
        /** As what the model should have said. */
        TRUTH
    }

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
            description = "The array of labels in the data, integers (default: " + DEFAULT_LABELS
                    + "; only read where labels are needed).")
    private String labels;

    /** The data's file. */
    public Path file() {
        return data;
    }

    /** Opens the data without clusters; the caller closes it. */
    public Dataset open(Labels labels) {
        return Dataset.open(data, names(labels, null, false));
    }

    ArrayNames names(Labels needed, String clusters, boolean clustersWanted) {
        boolean byDefault = labels == null && needed != Labels.UNUSED;
        return new ArrayNames(
                inputs.name(),
                byDefault ? DEFAULT_LABELS : labels,
                clusters,
                clustersWanted,
                byDefault && needed == Labels.TARGETS);
    }
}
