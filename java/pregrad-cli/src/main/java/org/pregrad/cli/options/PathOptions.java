package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.Baseline;
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
            description = "Points of integrated-gradients, conductance and internal-influence (default:"
                    + " ${DEFAULT-VALUE}).")
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
            description = "Where integrated-gradients starts: activations of 0, their means over all samples, or one"
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
                    "What removing a neuron means, for ablation and removal curves: ${COMPLETION-CANDIDATES} (default:"
                            + " ${DEFAULT-VALUE}).")
    private Removal removal;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "What random is drawn by (default: ${DEFAULT-VALUE}).")
    private long seed;

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
