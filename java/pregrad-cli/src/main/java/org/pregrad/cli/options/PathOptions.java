package org.pregrad.cli.options;

import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.pregrad.Attribution;
import org.pregrad.Baseline;
import org.pregrad.Method;
import org.pregrad.Quadrature;
import org.pregrad.Removal;
import org.pregrad.cli.output.FileDigest;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** What the path methods, the removal of neurons and chance need to be told. */
public final class PathOptions {
    @Option(
            names = "--steps",
            defaultValue = "50",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description =
                    "Points of integrated-gradients, conductance and internal-influence, and how many references a"
                            + " sample of expected-gradients meets (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--rule",
            defaultValue = "gauss-legendre",
            paramLabel = "RULE",
            description = "How they integrate: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Quadrature rule;

    @Option(
            names = "--baseline",
            defaultValue = "zero",
            paramLabel = "zero|mean|FILE.npz",
            converter = BaselineChoice.Converter.class,
            description =
                    "Where integrated-gradients starts, and what deep-lift compares with: activations of 0, their means over all samples, or one"
                            + " array per layer, named by the layer or name@call, with a value per neuron (default:"
                            + " ${DEFAULT-VALUE}).")
    private BaselineChoice baseline;

    @Option(
            names = "--input-baseline",
            defaultValue = "zero",
            paramLabel = "zero|FILE.npz",
            converter = BaselineChoice.InputConverter.class,
            description =
                    "Where conductance and internal-influence start: an input of 0, or one sample, as the array x or, of"
                            + " several inputs, as arrays of their names; those without one start at 0. Of tokens it is"
                            + " those whose embeddings they start at (default: ${DEFAULT-VALUE}).")
    private BaselineChoice inputBaseline;

    @Option(
            names = "--removal",
            defaultValue = "zero",
            paramLabel = "REMOVAL",
            description =
                    "What removing a neuron means, for ablation, shapley and removal curves: ${COMPLETION-CANDIDATES}"
                            + " (default: ${DEFAULT-VALUE}).")
    private Removal removal;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "What random, shapley and expected-gradients are drawn by (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--of-z",
            description = "Takes values and derivatives of z rather than of a, in integrated-gradients, conductance,"
                    + " internal-influence and expected-gradients.")
    private boolean ofPreactivations;

    @Option(
            names = "--references",
            paramLabel = "FILE.npz",
            description = "The samples that expected-gradients takes as baselines, as arrays of the inputs' names.")
    private Path references;

    @Option(
            names = "--corrupt",
            defaultValue = "corrupt",
            paramLabel = "PREFIX",
            description =
                    "What the arrays in the data begin with that gradient-x-difference and patching hold against the"
                            + " inputs: PREFIX.x against x (default: ${DEFAULT-VALUE}).")
    private String corrupt;

    @Option(
            names = "--permutations",
            defaultValue = "256",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many orders of the neurons shapley draws for a sample at most (default:"
                    + " ${DEFAULT-VALUE}).")
    private int permutations;

    @Option(
            names = "--shapley-error",
            defaultValue = "0.01",
            paramLabel = "SHARE",
            description = "The standard error at which a sample's Shapley values are settled, as a share of what all"
                    + " neurons make together; 0 draws all orders (default: ${DEFAULT-VALUE}).")
    private double shapleyError;

    public int steps() {
        return steps;
    }

    public Quadrature rule() {
        return rule;
    }

    public BaselineChoice baseline() {
        return baseline;
    }

    public BaselineChoice inputBaseline() {
        return inputBaseline;
    }

    public Removal removal() {
        return removal;
    }

    public long seed() {
        return seed;
    }

    /** What the arrays begin with that others are held against; null unless one of the methods asks for them. */
    public String corruptFor(Collection<Method> methods) {
        return methods.contains(Method.GRADIENT_X_DIFFERENCE) || methods.contains(Method.PATCHING) ? corrupt : null;
    }

    /** The file of the references of expected gradients; null if there is none. */
    public Path references() {
        return references;
    }

    /** Sets the options of those methods that have some of their own. */
    public void applyTo(Attribution.Builder builder) {
        builder.ofPreactivations(ofPreactivations)
                .corrupt(corrupt)
                .permutations(permutations)
                .shapleyError(shapleyError);
    }

    /** The options that some of these methods have, as a summary tells them, as far as others have no use for them. */
    public Map<String, Object> described(Collection<Method> methods) {
        Map<String, Object> described = new LinkedHashMap<>();
        if (ofPreactivations) {
            described.put("of_z", true);
        }
        if (methods.contains(Method.EXPECTED_GRADIENTS) && references != null) {
            described.put("references", FileDigest.of(references));
        }
        if (corruptFor(methods) != null) {
            described.put("corrupt", corrupt);
        }
        if (methods.contains(Method.SHAPLEY)) {
            described.put("permutations", permutations);
            described.put("shapley_error", shapleyError);
        }
        return described;
    }

    /**
     * Where a path starts.
     *
     * @param kind a word of the command line, or a file
     * @param file for {@link Baseline#GIVEN}; else null
     */
    public record BaselineChoice(Baseline kind, Path file) {
        /** As a summary tells it: the word, or the file with its digest. */
        public Object described() {
            return file == null ? kind.id() : FileDigest.of(file);
        }

        /** Reads {@code zero}, {@code mean} or a path. */
        static final class Converter implements ITypeConverter<BaselineChoice> {
            @Override
            public BaselineChoice convert(String text) {
                return text.equals(Baseline.MEAN.id()) ? new BaselineChoice(Baseline.MEAN, null) : zeroOrFile(text);
            }
        }

        /** Reads {@code zero} or a path. */
        static final class InputConverter implements ITypeConverter<BaselineChoice> {
            @Override
            public BaselineChoice convert(String text) {
                return zeroOrFile(text);
            }
        }

        private static BaselineChoice zeroOrFile(String text) {
            if (text.equals(Baseline.ZERO.id())) {
                return new BaselineChoice(Baseline.ZERO, null);
            }
            return new BaselineChoice(Baseline.GIVEN, Choices.path(text));
        }
    }
}
