package org.pregrad;

import java.util.Arrays;
import org.pregrad.internal.Handle;
import org.pregrad.internal.Native;

/**
 * A running computation of scores: any number of batches go in, from any thread; scores come out at any time.
 *
 * <p>Close it: {@link #close()} waits for threads that still compute, and may be called twice. Whatever else is called
 * afterwards throws {@link IllegalStateException}. It goes on working after its model was closed.
 */
public final class Attribution implements AutoCloseable {
    private final Handle handle;

    Attribution(long id, String text) {
        handle = new Handle(id, text);
    }

    /** Collects what to compute; the defaults are those of the command. */
    public static final class Builder extends OptionsBuilder<Builder> {
        private final Model model;

        Builder(Model model) {
            this.model = model;
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * {@return the attribution, to be closed by the caller}
         *
         * @throws LayerException if a layer name fits nothing or more than one thing
         * @throws ArgumentException if an option is wrong
         * @throws IllegalStateException if the model is closed
         */
        public Attribution open() {
            return model.open(this);
        }
    }

    /**
     * Adds a batch: one forward and one backward for all layers and methods. A batch that throws adds nothing.
     *
     * @param inputs [N, ...], the model's input, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     * @param clusters [N]; null puts all samples into cluster 0
     * @throws InputException if inputs, labels or clusters do not fit the model or each other
     * @throws UnsupportedModelException if the samples of a batch interact in the model
     * @throws ArgumentException if the target is beyond the outputs
     * @throws IllegalStateException if the attribution is closed
     */
    public void add(Input inputs, long[] labels, long[] clusters) {
        inputs.use((source, data, offset, shape) -> handle.use(id -> {
            Native.add(id, source, data, offset, shape, labels, clusters);
            return null;
        }));
    }

    /**
     * Adds a batch of cluster 0, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...]
     * @param labels [N]; may be null unless the target is the label
     */
    public void add(Input inputs, long[] labels) {
        add(inputs, labels, null);
    }

    /**
     * Adds a batch of samples that are one row each, as {@link #add(Input, long[], long[])}.
     *
     * @param rows [N][features]
     * @param labels [N]; may be null unless the target is the label
     * @param clusters [N]; null puts all samples into cluster 0
     */
    public void add(float[][] rows, int[] labels, int[] clusters) {
        add(Input.of(rows), widen(labels), widen(clusters));
    }

    /**
     * {@return the scores of all batches added so far}
     *
     * @throws IllegalStateException if the attribution is closed
     */
    public Scores scores() {
        return handle.use(id -> Decoder.scores(Native.scores(id)));
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

    private static long[] widen(int[] values) {
        return values == null ? null : Arrays.stream(values).asLongStream().toArray();
    }
}
