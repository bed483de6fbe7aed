package org.pregrad;

import java.util.List;
import org.pregrad.internal.Calls;
import org.pregrad.internal.Handle;
import org.pregrad.internal.OptionsWriter;

/**
 * Compares ∂y/∂z with central finite differences of the model, and with what a backward hook would give: any number of
 * batches go in, from any thread; results come out at any time.
 *
 * <p>Close it: {@link #close()} waits for threads that still compute, and may be called twice. Whatever else is called
 * afterwards throws {@link IllegalStateException}. It goes on working after its model was closed.
 */
public final class Check implements AutoCloseable {
    private final Handle handle;

    Check(Calls calls, long id, String text) {
        handle = new Handle(calls, id, text);
    }

    /** Collects what to compare; the defaults are those of the command. */
    public static final class Builder extends LayersBuilder<Builder> {
        private final Model model;
        private int mostNeurons = 128;

        Builder(Model model) {
            this.model = model;
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets how many neurons of a layer are compared at most, evenly spaced; by default 128.
         *
         * @param value at least 1
         * @return this
         */
        public Builder mostNeurons(int value) {
            mostNeurons = value;
            return this;
        }

        @Override
        void write(OptionsWriter options) {
            super.write(options);
            options.add("mostNeurons", mostNeurons);
        }

        /**
         * {@return the check, to be closed by the caller}
         *
         * @throws LayerException if a layer name fits nothing or more than one thing
         * @throws ArgumentException if an option is wrong
         * @throws IllegalStateException if the model is closed
         */
        public Check open() {
            return model.open(this);
        }
    }

    /**
     * Compares on a batch; every neuron costs two runs of the model behind the layer. A batch that throws adds nothing.
     * One that does not fit into the memory of its device is compared in halves, as far down as single samples.
     *
     * @param inputs [N, ...], the model's input, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     * @throws InputException if inputs or labels do not fit the model or each other
     * @throws UnsupportedModelException if the samples of a batch interact in the model
     * @throws ArgumentException if the target is beyond the outputs
     * @throws IllegalStateException if the check is closed
     */
    public void add(Input inputs, long[] labels) {
        inputs.use((source, data, offset, shape) -> handle.use((calls, id) -> {
            calls.checkAdd(id, source, data, offset, shape, labels);
            return null;
        }));
    }

    /**
     * Compares on a batch of several inputs, as {@link #add(Input, long[])}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     */
    public void add(Inputs inputs, long[] labels) {
        add(inputs, Input.perSample(labels));
    }

    /**
     * Compares on a batch with a label per position, or with weights of the outputs, as {@link #add(Input, long[])}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels as in {@link Attribution#add(Inputs, Input, long[])}
     */
    public void add(Inputs inputs, Input labels) {
        inputs.use(labels, null, (names, data, layout) -> {
            handle.run((calls, id) -> calls.checkAddInputs(id, names, data, layout));
            return null;
        });
    }

    /**
     * {@return one result per layer call, in the order of execution, over all batches}
     *
     * @throws IllegalStateException if the check is closed
     */
    public List<LayerCheck> results() {
        return handle.use((calls, id) -> Decoder.checks(calls.checkResults(id)));
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
