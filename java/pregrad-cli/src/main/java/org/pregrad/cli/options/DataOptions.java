package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Dataset;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which samples a command looks at, with their labels. */
public final class DataOptions {
    private static final String LABELS = "y";

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
                    + "; only read where labels are needed).")
    private String labels;

    /** The data's file. */
    public Path file() {
        return data;
    }

    /** Opens the data without clusters; the caller closes it. */
    public Dataset open(boolean labelsNeeded) {
        return Dataset.open(data, new ArrayNames(inputs.name(), labels(labelsNeeded), null, false));
    }

    String inputs() {
        return inputs.name();
    }

    /** The labels' name; null if they are neither needed nor named. */
    String labels(boolean needed) {
        return labels == null && needed ? LABELS : labels;
    }
}
