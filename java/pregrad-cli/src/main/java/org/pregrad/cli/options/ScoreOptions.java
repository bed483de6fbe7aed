package org.pregrad.cli.options;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.Output;
import org.pregrad.Target;
import picocli.CommandLine.Option;

/** What is scored, and how. */
public final class ScoreOptions {
    @Option(
            names = "--layer",
            required = true,
            arity = "1..*",
            paramLabel = "NAME[@CALL]",
            description = "A layer: its name for all its calls, name@call for one (pregrad layers lists them). May be"
                    + " repeated.")
    private List<String> layers;

    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            defaultValue = "gradient",
            paramLabel = "METHOD",
            completionCandidates = Candidates.Methods.class,
            converter = Converters.ToMethod.class,
            description =
                    "What is computed per sample and neuron: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). May"
                            + " be repeated.")
    private List<Method> methods;

    @Option(
            names = "--target",
            defaultValue = "label",
            paramLabel = "label|predicted|N",
            converter = Converters.ToTarget.class,
            description = "Which output is explained: that of the sample's label, the largest, or output N (default:"
                    + " ${DEFAULT-VALUE}).")
    private Target target;

    @Option(
            names = "--output",
            defaultValue = "logit",
            paramLabel = "OUTPUT",
            completionCandidates = Candidates.Outputs.class,
            converter = Converters.ToOutput.class,
            description = "What is made of the model's outputs: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Output output;

    @Option(
            names = "--aggregate",
            arity = "1..*",
            split = ",",
            defaultValue = "mean,mean_abs",
            paramLabel = "AGGREGATE",
            completionCandidates = Candidates.Aggregates.class,
            converter = Converters.ToAggregate.class,
            description = "What neurons are ranked by inside a cluster: ${COMPLETION-CANDIDATES} (default:"
                    + " ${DEFAULT-VALUE}). May be repeated.")
    private List<Aggregate> aggregates;

    public List<String> layers() {
        return distinct(layers);
    }

    public List<Method> methods() {
        return distinct(methods);
    }

    public Target target() {
        return target;
    }

    public Output output() {
        return output;
    }

    public List<Aggregate> aggregates() {
        return distinct(aggregates);
    }

    /** Whether the samples' labels decide which output is explained. */
    public boolean needsLabels() {
        return target.equals(Target.label());
    }

    private static <T> List<T> distinct(List<T> values) {
        Set<T> once = new LinkedHashSet<>(values);
        return List.copyOf(once);
    }
}
