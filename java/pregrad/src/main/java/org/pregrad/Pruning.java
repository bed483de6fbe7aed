package org.pregrad;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.pregrad.internal.Calls;
import org.pregrad.internal.Handle;
import org.pregrad.internal.OptionsWriter;
import org.pregrad.internal.Text;

/**
 * A model with neurons removed: which indices of which axes of which weights go, following what depends on them, and what
 * that does to the outputs. Removing a neuron means a := 0 at all positions, so a plan is closed only where every channel
 * that goes is zero, without its neurons, wherever a product reads it; and it is held against the model with zeros for every
 * batch. The first batch makes the plan.
 *
 * <p>Close it: {@link #close()} waits for threads that still compute, and may be called twice. Whatever else is called
 * afterwards throws {@link IllegalStateException}. It goes on working after its model was closed.
 */
public final class Pruning implements AutoCloseable {
    private final Handle handle;

    Pruning(Calls calls, long id, String text) {
        handle = new Handle(calls, id, text);
    }

    /**
     * Collects what goes: given neurons, or those of the lowest scores. What is set as the target does not matter here:
     * outputs are measured by accuracy.
     */
    public static final class Builder extends TargetBuilder<Builder> {
        private final Model model;
        private List<PrunedNeurons> neurons = List.of();
        private List<NeuronConstants> scores = List.of();
        private double share = 0.5;
        private OptionalLong keep = OptionalLong.empty();

        Builder(Model model) {
            this.model = model;
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the neurons that go.
         *
         * @param values each layer call at most once
         * @return this
         */
        public Builder neurons(List<PrunedNeurons> values) {
            neurons = List.copyOf(values);
            return this;
        }

        /**
         * Sets how important each neuron is, in the place of given ones: those of the lowest scores go, ties by index.
         * Layer calls that the model adds up, so that channels can only go together, are ranked together: each call's
         * scores are divided by the sum of their magnitudes, and added.
         *
         * @param values one score per neuron of each layer call
         * @return this
         */
        public Builder scores(List<NeuronConstants> values) {
            scores = List.copyOf(values);
            return this;
        }

        /**
         * Sets which share of each layer's neurons goes, by default half.
         *
         * @param value in (0, 1); the next whole number to it counts, and at least one neuron stays
         * @return this
         */
        public Builder share(double value) {
            share = value;
            return this;
        }

        /**
         * Sets how many neurons of each layer stay, in the place of a share.
         *
         * @param value at least 1
         * @return this
         */
        public Builder keep(long value) {
            keep = OptionalLong.of(value);
            return this;
        }

        @Override
        void write(OptionsWriter options) {
            super.write(options);
            options.addAll(
                    "neurons",
                    neurons.stream()
                            .map(layer -> new OptionsWriter()
                                    .add("layer", layer.layer())
                                    .add("call", layer.call())
                                    .add("neurons", layer.neurons()))
                            .toList());
            options.addAll(
                    "scores",
                    scores.stream()
                            .map(layer -> new OptionsWriter()
                                    .add("layer", layer.layer())
                                    .add("call", layer.call())
                                    .add("values", layer.values()))
                            .toList());
            options.add("share", share);
            if (keep.isPresent()) {
                options.add("keep", Math.max(0, keep.getAsLong()));
            }
        }

        /**
         * {@return the pruning, to be closed by the caller}
         *
         * @throws LayerException if the model has no such layer call
         * @throws ArgumentException if an option is wrong
         * @throws IllegalStateException if the model is closed
         */
        public Pruning open() {
            return model.open(this);
        }
    }

    /**
     * Measures a batch; the first one makes the plan.
     *
     * @param inputs [N, ...] each, finite
     * @param labels [N], each in [0, outputs); may be null, then there is no accuracy
     * @throws InputException if inputs or labels do not fit the model or each other
     * @throws ArgumentException if neurons or scores do not fit the layers
     * @throws UnsupportedModelException if the samples of a batch interact in the model
     * @throws IllegalStateException if the pruning is closed
     */
    public void add(Inputs inputs, Input labels) {
        inputs.use(labels, null, (names, data, layout) -> {
            handle.run((calls, id) -> calls.pruningAdd(id, names, data, layout));
            return null;
        });
    }

    /**
     * Measures a batch as {@link #add(Inputs, Input)}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels [N], each in [0, outputs); may be null, then there is no accuracy
     */
    public void add(Inputs inputs, long[] labels) {
        add(inputs, Input.perSample(labels));
    }

    /**
     * {@return the plan, and what it does to the outputs}
     *
     * @throws IllegalStateException before the first batch, or if the pruning is closed
     */
    public PruningResult result() {
        return handle.use((calls, id) -> Decoder.pruning(calls.pruningResult(id)));
    }

    /**
     * Writes the pruned state dict in the format of safetensors, under the names and types that it had.
     *
     * @param file is replaced if it is there
     * @throws UnsupportedModelException if the plan is open
     * @throws ArgumentException if the file cannot be written
     * @throws IllegalStateException before the first batch, or if the pruning is closed
     */
    public void saveWeights(Path file) {
        byte[] path = Text.path(file);
        handle.run((calls, id) -> calls.pruningSaveWeights(id, path));
    }

    /**
     * Writes the pruned model as an archive of torch.export: that of {@code source} with its weights cut, and sizes that
     * speak of them changed. What was written is read again and held against the pruned model on the first batch.
     *
     * @param source the archive that the model was loaded from
     * @param file is replaced if it is there
     * @throws UnsupportedModelException if the plan is open, the model is none of torch.export, or its sizes cannot be
     *     changed
     * @throws ArgumentException if the file cannot be written
     * @throws IllegalStateException before the first batch, or if the pruning is closed
     */
    public void saveExported(Path source, Path file) {
        byte[] from = Text.path(source);
        byte[] to = Text.path(file);
        handle.run((calls, id) -> calls.pruningSaveExported(id, from, to));
    }

    /** Gives the native memory back, as soon as no thread computes with it any more. */
    @Override
    public void close() {
        handle.close();
    }

    @Override
    public String toString() {
        return handle.toString();
    }
}
