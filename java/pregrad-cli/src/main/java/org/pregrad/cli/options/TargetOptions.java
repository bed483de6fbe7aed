package org.pregrad.cli.options;

import java.util.LinkedHashMap;
import java.util.Map;
import org.pregrad.At;
import org.pregrad.Output;
import org.pregrad.Target;
import org.pregrad.TargetBuilder;
import org.pregrad.cli.data.ArrayNames.Labels;
import picocli.CommandLine.Option;

/** Which output of the model is explained, and where it is read. */
public final class TargetOptions {
    @Option(
            names = "--target",
            defaultValue = "label",
            paramLabel = "label|predicted|N|A-B|weights",
            description = "What is explained: the output of the sample's label, the largest, output N, output A minus"
                    + " output B, or the outputs weighted by the array of --labels, [samples, outputs] (default:"
                    + " ${DEFAULT-VALUE}).")
    private Target target;

    @Option(
            names = "--output",
            defaultValue = "logit",
            paramLabel = "OUTPUT",
            description = "What is made of the model's outputs: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Output output;

    @Option(
            names = "--output-name",
            paramLabel = "NAME",
            description = "Which of several outputs is read (default: logits, else the first of a tuple or list;"
                    + " pregrad layers --data lists them).")
    private String outputName;

    @Option(
            names = "--class-axis",
            paramLabel = "N",
            description =
                    "Which axis of it counts classes (default: 1 of [samples, classes]; with positions it is found).")
    private Integer classAxis;

    @Option(
            names = "--at",
            paramLabel = "last|first|each|mean|N",
            description =
                    "At which position an output with positions is read, where labels are one per sample: the last"
                            + " or first that counts, the sum or mean over all that count, or position N.")
    private At at;

    @Option(names = "--multi-label", description = "Each output is a yes or no of its own: probabilities are sigmoids.")
    private boolean multiLabel;

    @Option(
            names = "--mask",
            paramLabel = "NAME",
            description =
                    "The input, or another array of the data, [samples, positions], that is 0 where a position does"
                            + " not count.")
    private String mask;

    /** Tells the builder all of it. */
    public <B extends TargetBuilder<B>> B applyTo(B builder) {
        B told = builder.target(target).output(output).multiLabel(multiLabel);
        if (outputName != null) {
            told = told.outputName(outputName);
        }
        if (classAxis != null) {
            told = told.classAxis(classAxis);
        }
        if (at != null) {
            told = told.at(at);
        }
        return mask == null ? told : told.mask(mask);
    }

    /** As summaries tell it; what was not given in the first place is left out. */
    public Map<String, Object> described() {
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("target", target.toString());
        described.put("output", output.id());
        if (outputName != null) {
            described.put("output_name", outputName);
        }
        if (classAxis != null) {
            described.put("class_axis", classAxis);
        }
        if (at != null) {
            described.put("at", at.toString());
        }
        if (multiLabel) {
            described.put("multi_label", true);
        }
        if (mask != null) {
            described.put("mask", mask);
        }
        return described;
    }

    /** The output's name; null for the one that is taken by default. */
    public String outputName() {
        return outputName;
    }

    /** The axis of classes; null if it is to be found. */
    public Integer classAxis() {
        return classAxis;
    }

    /** What is needed of the data, as far as the target goes. */
    public Needed needed() {
        Labels labels = target.equals(Target.label())
                ? Labels.TARGETS
                : target.equals(Target.weights()) ? Labels.WEIGHTS : Labels.UNUSED;
        return new Needed(labels, mask);
    }

    /**
     * What a command needs of the data besides inputs.
     *
     * @param labels what these serve for
     * @param mask   the input or array that tells which positions count; null if all do
     */
    public record Needed(Labels labels, String mask) {
        /** The same with labels for something else. */
        public Needed with(Labels other) {
            return new Needed(other, mask);
        }
    }
}
