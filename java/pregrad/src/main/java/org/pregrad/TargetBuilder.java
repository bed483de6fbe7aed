package org.pregrad;

import java.util.Objects;
import java.util.OptionalInt;
import org.pregrad.internal.OptionsWriter;

/**
 * Collects which output of the model counts, and where it is read; the defaults are those of the command.
 *
 * @param <B> the builder itself
 */
public abstract sealed class TargetBuilder<B extends TargetBuilder<B>>
        permits LayersBuilder, Ablation.Builder, Pruning.Builder {
    private Target target = Target.label();
    private Output output = Output.LOGIT;
    private String outputName = "";
    private OptionalInt classAxis = OptionalInt.empty();
    private At at;
    private boolean multiLabel;
    private String mask = "";

    TargetBuilder() {}

    abstract B self();

    /**
     * Sets which output is taken per sample, by default {@link Target#label()}.
     *
     * @param value the target
     * @return this
     */
    public B target(Target value) {
        target = Objects.requireNonNull(value, "target");
        return self();
    }

    /**
     * Sets the function of the outputs whose component is taken, by default {@link Output#LOGIT}.
     *
     * @param value the function
     * @return this
     */
    public B output(Output value) {
        output = Objects.requireNonNull(value, "output");
        return self();
    }

    /**
     * Sets which of several outputs is taken, by default the only one, else {@code logits}, else the first of a tuple or
     * list.
     *
     * @param value as {@link Model#outputs} names it
     * @return this
     */
    public B outputName(String value) {
        outputName = Objects.requireNonNull(value, "outputName");
        return self();
    }

    /**
     * Sets which axis of the output counts outputs (classes). By default it is 1 of [N, outputs], and is found as a
     * {@link Layer#neuronAxis() neuron axis} is where there are positions.
     *
     * @param value the axis, from 1; from the end where it is negative
     * @return this
     */
    public B classAxis(int value) {
        classAxis = OptionalInt.of(value);
        return self();
    }

    /**
     * Sets at which positions of an output [N, positions..., outputs] y is read, by default at those of the labels
     * [N, positions...]. Labels [N] need it.
     *
     * @param value the positions
     * @return this
     */
    public B at(At value) {
        at = Objects.requireNonNull(value, "at");
        return self();
    }

    /**
     * Sets whether each output is a yes or no of its own, by default false: {@link Output#PROBABILITY} is its sigmoid then,
     * in place of a softmax over the outputs.
     *
     * @param value true for models that say yes to any number of outputs at once
     * @return this
     */
    public B multiLabel(boolean value) {
        multiLabel = value;
        return self();
    }

    /**
     * Sets the input that says which positions count, by default none: all do. Where it is 0 the position is left out of all
     * sums and means over those positions of z that have its shape, of removal, and of y.
     *
     * @param inputName an input [N, positions...] among those that are added; it need not be one of the model's
     * @return this
     */
    public B mask(String inputName) {
        mask = Objects.requireNonNull(inputName, "mask");
        return self();
    }

    /** Packs the options by the names under which native code looks for them. */
    void write(OptionsWriter options) {
        options.add("target", target.toString());
        options.add("output", output.id());
        options.add("outputName", outputName);
        options.add("classAxis", classAxis.isPresent() ? new int[] {classAxis.getAsInt()} : new int[0]);
        if (at != null) {
            options.add("at", at.toString());
        }
        options.add("multiLabel", multiLabel);
        options.add("mask", mask);
    }

    final byte[] packed() {
        OptionsWriter options = new OptionsWriter();
        write(options);
        return options.bytes();
    }
}
