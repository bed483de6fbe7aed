package org.pregrad;

import java.util.List;
import java.util.Objects;
import org.pregrad.internal.Calls;
import org.pregrad.internal.Handle;
import org.pregrad.internal.OptionsWriter;

/**
 * A running measurement of removal curves: any number of batches go in, from any thread; curves come out at any time.
 * The model runs up to each layer once per batch, and from there on once per point.
 *
 * <p>Close it: {@link #close()} waits for threads that still compute, and may be called twice. Whatever else is called
 * afterwards throws {@link IllegalStateException}. It goes on working after its model was closed.
 */
public final class Ablation implements AutoCloseable {
    private final Handle handle;

    Ablation(Calls calls, long id, String text) {
        handle = new Handle(calls, id, text);
    }

    /** Collects what to measure; the defaults are those of the command. */
    public static final class Builder extends TargetBuilder<Builder> {
        private final Model model;
        private List<RemovalOrder> orders = List.of();
        private Removal removal = Removal.ZERO;
        private List<NeuronConstants> means = List.of();

        Builder(Model model) {
            this.model = model;
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the orders of removal.
         *
         * @param values their layers and calls must be the model's
         * @return this
         */
        public Builder orders(List<RemovalOrder> values) {
            orders = List.copyOf(values);
            return this;
        }

        /**
         * Sets what removing a neuron means, by default {@link Removal#ZERO}.
         *
         * @param value the removal
         * @return this
         */
        public Builder removal(Removal value) {
            removal = Objects.requireNonNull(value, "removal");
            return this;
        }

        /**
         * Sets the mean activations for {@link Removal#MEAN}.
         *
         * @param values per layer call, as {@link Scores#meanActivations()} gives them; where they are given by cluster,
         *     a curve takes those of its order's cluster for all samples
         * @return this
         */
        public Builder means(List<NeuronConstants> values) {
            means = List.copyOf(values);
            return this;
        }

        @Override
        void write(OptionsWriter options) {
            super.write(options);
            options.addAll("orders", Encoder.orders(orders));
            options.add("removal", removal.id());
            options.addAll("means", Encoder.constants(means));
        }

        /**
         * {@return the measurement, to be closed by the caller}
         *
         * @throws LayerException if the model has no such layer or call
         * @throws ArgumentException if an option is wrong: no order, an order that does not name every neuron once, means
         *     that are missing
         * @throws IllegalStateException if the model is closed
         */
        public Ablation open() {
            return model.open(this);
        }
    }

    /**
     * Measures all orders on a batch. A batch that throws adds nothing. One that does not fit into the memory of its device
     * is measured in halves, as far down as single samples.
     *
     * @param inputs [N, ...], the model's input, finite
     * @param labels [N], each in [0, outputs); may be null for a model of one output, which has no accuracy
     * @param clusters [N]; null puts all samples into cluster 0
     * @throws InputException if inputs, labels or clusters do not fit the model or each other
     * @throws UnsupportedModelException if the samples of a batch interact in the model
     * @throws ArgumentException if an order does not name every neuron of its layer once, or the target is beyond the
     *     outputs
     * @throws DeviceException if a single sample does not fit into the device's memory, or the device broke
     * @throws IllegalStateException if the measurement is closed
     */
    public void add(Input inputs, long[] labels, long[] clusters) {
        inputs.use((source, data, offset, shape) -> handle.use((calls, id) -> {
            calls.ablationAdd(id, source, data, offset, shape, labels, clusters);
            return null;
        }));
    }

    /**
     * Measures all orders on a batch of cluster 0, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...]
     * @param labels [N]; may be null for a model of one output
     */
    public void add(Input inputs, long[] labels) {
        add(inputs, labels, null);
    }

    /**
     * Measures all orders on a batch of several inputs, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels [N], each in [0, outputs); may be null for a model of one output, which has no accuracy
     * @param clusters [N]; null puts all samples into cluster 0
     */
    public void add(Inputs inputs, long[] labels, long[] clusters) {
        add(inputs, Input.perSample(labels), clusters);
    }

    /**
     * Measures all orders on a batch of several inputs of cluster 0, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...] each
     * @param labels [N]; may be null for a model of one output
     */
    public void add(Inputs inputs, long[] labels) {
        add(inputs, labels, null);
    }

    /**
     * Measures all orders on a batch with a label per position, or with weights of the outputs, as
     * {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels as in {@link Attribution#add(Inputs, Input, long[])}
     * @param clusters [N]; null puts all samples into cluster 0
     */
    public void add(Inputs inputs, Input labels, long[] clusters) {
        inputs.use(labels, Input.perSample(clusters), (names, data, layout) -> {
            handle.run((calls, id) -> calls.ablationAddInputs(id, names, data, layout));
            return null;
        });
    }

    /**
     * {@return how often a batch, or a half of one, did not fit into the memory of its device and was cut in two}
     *
     * @throws IllegalStateException if the measurement is closed
     */
    public long batchesSplit() {
        return handle.use(Calls::ablationBatchesSplit);
    }

    /**
     * {@return one curve per order, in their order; without samples of its cluster it has the count 0 and NaN for values}
     *
     * @throws PreGradException if they are more than a Java array holds
     * @throws IllegalStateException if the measurement is closed
     */
    public List<RemovalCurve> curves() {
        return handle.use((calls, id) -> Decoder.curves(calls.curves(id)));
    }

    /**
     * {@return all that was measured so far, as bytes, to go on with later or in another process}
     *
     * @throws PreGradException if it is more than a Java array holds
     * @throws IllegalStateException if the measurement is closed
     */
    public byte[] save() {
        return handle.use(Calls::ablationSave);
    }

    /**
     * Takes the place of all that was measured so far. Curves go on to the last bit as if there had been no break.
     *
     * @param state what {@link #save()} gave for the same orders and options
     * @throws ArgumentException if it is not; nothing is changed then
     * @throws IllegalStateException if the measurement is closed
     */
    public void restore(byte[] state) {
        Objects.requireNonNull(state, "state");
        handle.run((calls, id) -> calls.ablationRestore(id, state));
    }

    /**
     * Adds what another measurement has measured, in this process or in another. Any thread may merge while others add.
     * Curves become those of one measurement of the batches of both, whoever had which and in whatever order they are
     * merged, to the last bit as far as {@link Attribution#merge} says. Accuracies are counts, and always the same.
     *
     * @param state what {@link #save()} gave for the same orders and options, of the same model
     * @throws ArgumentException if it is not; nothing is changed then
     * @throws IllegalStateException if the measurement is closed
     */
    public void merge(byte[] state) {
        Objects.requireNonNull(state, "state");
        handle.run((calls, id) -> calls.ablationMerge(id, state));
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
