package org.pregrad.cli.options;

import org.pregrad.Output;
import org.pregrad.Target;
import picocli.CommandLine.Option;

/** Which output of the model is explained. */
public final class TargetOptions {
    @Option(
            names = "--target",
            defaultValue = "label",
            paramLabel = "label|predicted|N",
            description = "Which output is explained: that of the sample's label, the largest, or output N (default:"
                    + " ${DEFAULT-VALUE}).")
    private Target target;

    @Option(
            names = "--output",
            defaultValue = "logit",
            paramLabel = "OUTPUT",
            description = "What is made of the model's outputs: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Output output;

    public Target target() {
        return target;
    }

    public Output output() {
        return output;
    }

    /** What the samples' labels serve for, as far as the target goes. */
    public DataOptions.Labels labels() {
        return target.equals(Target.label()) ? DataOptions.Labels.TARGETS : DataOptions.Labels.UNUSED;
    }
}
