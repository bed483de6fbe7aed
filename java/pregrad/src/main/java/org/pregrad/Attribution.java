package org.pregrad;

import java.nio.DoubleBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.pregrad.internal.BatchIntegers;
import org.pregrad.internal.Calls;
import org.pregrad.internal.Handle;
import org.pregrad.internal.Native;
import org.pregrad.internal.OptionsWriter;
import org.pregrad.internal.Room;
import org.pregrad.internal.Text;

/**
 * A running computation of scores: any number of batches go in, from any thread; scores come out at any time.
 *
 * <p>Close it: {@link #close()} waits for threads that still compute, and may be called twice. Whatever else is called
 * afterwards throws {@link IllegalStateException}. It goes on working after its model was closed.
 */
public final class Attribution implements AutoCloseable {
    private final Handle handle;

    Attribution(Calls calls, long id, String text) {
        handle = new Handle(calls, id, text);
    }

    /** Collects what to compute; the defaults are those of the command. */
    public static final class Builder extends OptionsBuilder<Builder> {
        private final Model model;
        private int steps = 50;
        private Quadrature quadrature = Quadrature.GAUSS_LEGENDRE;
        private Baseline baseline = Baseline.ZERO;
        private List<NeuronConstants> baselines = List.of();
        private Input inputBaseline;
        private Inputs inputBaselines;
        private Removal removal = Removal.ZERO;
        private List<NeuronConstants> means = List.of();
        private boolean cudaGraphs = true;
        private int examples;
        private boolean ofPreactivations;
        private Inputs references;
        private String corrupt = "corrupt";
        private int permutations = 256;
        private double shapleyError = 0.01;

        Builder(Model model) {
            this.model = model;
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets how many points the path methods ({@link Method#INTEGRATED_GRADIENTS}, {@link Method#CONDUCTANCE},
         * {@link Method#INTERNAL_INFLUENCE}) take, by default 50.
         *
         * @param value at least 1
         * @return this
         */
        public Builder steps(int value) {
            steps = value;
            return this;
        }

        /**
         * Sets the rule by which path methods integrate, by default {@link Quadrature#GAUSS_LEGENDRE}.
         *
         * @param value the rule
         * @return this
         */
        public Builder quadrature(Quadrature value) {
            quadrature = Objects.requireNonNull(value, "quadrature");
            return this;
        }

        /**
         * Sets where the path of {@link Method#INTEGRATED_GRADIENTS} starts, by default {@link Baseline#ZERO}.
         *
         * @param value the baseline
         * @return this
         */
        public Builder baseline(Baseline value) {
            baseline = Objects.requireNonNull(value, "baseline");
            return this;
        }

        /**
         * Sets the constants of {@link Baseline#GIVEN}.
         *
         * @param values one entry per layer call, and per cluster if it names one
         * @return this
         */
        public Builder baselines(List<NeuronConstants> values) {
            baselines = List.copyOf(values);
            return this;
        }

        /**
         * Sets where the input path of {@link Method#CONDUCTANCE} and {@link Method#INTERNAL_INFLUENCE} starts, by default
         * at 0; of tokens, those whose embeddings it starts at.
         *
         * @param value one sample, [1, ...] or [...]; copied when the attribution is opened
         * @return this
         */
        public Builder inputBaseline(Input value) {
            inputBaseline = Objects.requireNonNull(value, "inputBaseline");
            inputBaselines = null;
            return this;
        }

        /**
         * Sets where the input path starts for a model of several inputs, in the place of {@link #inputBaseline}; those that
         * are not named start at 0. Of inputs that enter an embedding, such as tokens, the path goes from the vectors of the
         * baseline to those of the input, and from vectors of 0 where none is given; {@code token_type_ids},
         * {@code segment_ids} and {@code position_ids} move only where they are named. Other integers stay what they are.
         *
         * @param values one sample each, [1, ...] or [...]; copied when the attribution is opened
         * @return this
         */
        public Builder inputBaselines(Inputs values) {
            inputBaselines = Objects.requireNonNull(values, "inputBaselines");
            inputBaseline = null;
            return this;
        }

        /**
         * Sets whether {@link Method#INTEGRATED_GRADIENTS}, {@link Method#CONDUCTANCE}, {@link Method#INTERNAL_INFLUENCE} and
         * {@link Method#EXPECTED_GRADIENTS} take values and derivatives of the pre-activation z, by default false: of the
         * activation a.
         *
         * @param value true for z
         * @return this
         */
        public Builder ofPreactivations(boolean value) {
            ofPreactivations = value;
            return this;
        }

        /**
         * Sets the samples whose activations {@link Method#EXPECTED_GRADIENTS} takes as baselines. Each sample meets as many
         * of them as there are {@link #steps}, drawn by the seed, at places on the path that are drawn too.
         *
         * @param values [R, ...] each, by the names of the model's inputs; copied when the attribution is opened
         * @return this
         */
        public Builder references(Inputs values) {
            references = Objects.requireNonNull(values, "references");
            return this;
        }

        /**
         * Sets what the inputs are called that {@link Method#GRADIENT_X_DIFFERENCE} and {@link Method#PATCHING} hold against
         * the others, by default {@code corrupt}: this name alone for a model of one input, else the name, a dot and that of
         * the input it stands against. What has none is the same in both runs.
         *
         * @param value a name that is none of the model's inputs
         * @return this
         */
        public Builder corrupt(String value) {
            corrupt = Objects.requireNonNull(value, "corrupt");
            return this;
        }

        /**
         * Sets how many permutations {@link Method#SHAPLEY} draws for a sample at most, by default 256. Layers of up to ten
         * neurons need none where trying all sets of them costs less.
         *
         * @param value at least 2
         * @return this
         */
        public Builder permutations(int value) {
            permutations = value;
            return this;
        }

        /**
         * Sets when the Shapley values of a sample are settled: once the standard error of each is at most this share of the
         * difference of the output between all neurons and none, by default 0.01.
         *
         * @param value at least 0; 0 draws all permutations
         * @return this
         */
        public Builder shapleyError(double value) {
            shapleyError = value;
            return this;
        }

        /**
         * Sets what {@link Method#ABLATION} and {@link Method#SHAPLEY} do to a neuron, by default {@link Removal#ZERO}.
         *
         * @param value the removal
         * @return this
         */
        public Builder removal(Removal value) {
            removal = Objects.requireNonNull(value, "removal");
            return this;
        }

        /**
         * Sets the mean activations for {@link Baseline#MEAN} and {@link Removal#MEAN}.
         *
         * @param values per layer call, as {@link Scores#meanActivations()} gives them; where they are given by cluster,
         *     a sample takes those of its own
         * @return this
         */
        public Builder means(List<NeuronConstants> values) {
            means = List.copyOf(values);
            return this;
        }

        /**
         * Sets whether a CUDA device may record what it does with batches of one shape, and replay it, by default true. It
         * does so when a shape comes for the third time, for at most four shapes, each of which holds the memory of its batch
         * until the attribution is closed. A shape is that of the inputs and the number of clusters. Methods that run the
         * model again are never recorded, nor one forward for several targets per sample.
         *
         * @param value false to record nothing
         * @return this
         */
        public Builder cudaGraphs(boolean value) {
            cudaGraphs = value;
            return this;
        }

        /**
         * Sets how many samples {@link Attribution#examples()} keeps per layer call, cluster, method and neuron, by default
         * none. They take memory, which {@link #memoryLimit} counts; on a CUDA device nothing is recorded then.
         *
         * @param value 0 to 10,000
         * @return this
         */
        public Builder examples(int value) {
            if (value < 0) {
                throw new ArgumentException(
                        "there cannot be " + value + " examples of a neuron: give a number from 1, or 0 for none");
            }
            examples = value;
            return this;
        }

        @Override
        void write(OptionsWriter options) {
            super.write(options);
            options.add("steps", steps);
            options.add("quadrature", quadrature.id());
            options.add("baseline", baseline.id());
            options.addAll("baselines", Encoder.constants(baselines));
            options.add("removal", removal.id());
            options.addAll("means", Encoder.constants(means));
            options.add("cudaGraphs", cudaGraphs);
            options.add("examples", examples);
            options.add("ofZ", ofPreactivations);
            options.add("corrupt", corrupt);
            options.add("permutations", permutations);
            options.add("shapleyError", shapleyError);
        }

        /** Of several tensors each says what it is for, as {@link Native#attributionFromInputs} takes them. */
        <R> R useInputs(Input.Use<R> one, Inputs.Use<R> several) {
            if (inputBaselines != null || references != null) {
                Inputs baselines = inputBaseline == null ? inputBaselines : Inputs.of(inputBaseline);
                return Inputs.labelled("baseline:", baselines, "reference:", references)
                        .use(several);
            }
            return inputBaseline == null ? one.apply(Native.NO_INPUT, null, 0, null) : inputBaseline.use(one);
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
     * Adds a batch: one forward and one backward for all layers and methods. A batch that throws adds nothing. One that
     * does not fit into the memory of its device is added in halves, as far down as single samples.
     *
     * @param inputs [N, ...], the model's input, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     * @param clusters [N]; null puts all samples into cluster 0
     * @throws InputException if inputs, labels or clusters do not fit the model or each other
     * @throws UnsupportedModelException if the samples of a batch interact in the model, or its outputs are not those
     *     that its file gives by itself
     * @throws LayerException if no gradient that a method needs leads from the output to a layer
     * @throws ArgumentException if the target is beyond the outputs
     * @throws DeviceException if a single sample does not fit into the device's memory, or the device broke
     * @throws IllegalStateException if the attribution is closed
     */
    public void add(Input inputs, long[] labels, long[] clusters) {
        add(inputs, labels, clusters, 1);
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
     * Adds a batch of several inputs, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     * @param clusters [N]; null puts all samples into cluster 0
     */
    public void add(Inputs inputs, long[] labels, long[] clusters) {
        addNamed(inputs, Input.perSample(labels), Input.perSample(clusters));
    }

    /**
     * Adds a batch of several inputs of cluster 0, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...] each
     * @param labels [N]; may be null unless the target is the label
     */
    public void add(Inputs inputs, long[] labels) {
        add(inputs, labels, null);
    }

    /**
     * Adds a batch with a label per position, or with weights of the outputs, as {@link #add(Input, long[], long[])}.
     *
     * @param inputs [N, ...] each, finite
     * @param labels integers [N], or [N, positions...] for an output with positions, where −100 stands for a position that
     *     does not count; or floating-point numbers [N, outputs] for {@link Target#weights()}. May be null unless the target
     *     is the label or the weights
     * @param clusters [N]; null puts all samples into cluster 0
     */
    public void add(Inputs inputs, Input labels, long[] clusters) {
        addNamed(inputs, labels, Input.perSample(clusters));
    }

    private void addNamed(Inputs inputs, Input labels, Input clusters) {
        inputs.use(labels, clusters, (names, data, layout) -> {
            handle.run((calls, id) -> calls.addInputs(id, names, data, layout));
            return null;
        });
    }

    /**
     * Adds a batch of samples that are one row each, as {@link #add(Input, long[], long[])}.
     *
     * @param rows [N][features]
     * @param labels [N]; may be null unless the target is the label
     * @param clusters [N]; null puts all samples into cluster 0
     */
    public void add(float[][] rows, int[] labels, int[] clusters) {
        add(Input.of(rows), Input.widened(labels), Input.widened(clusters));
    }

    /**
     * Adds a batch in which each sample is explained for several outputs. The scores are those of adding the batch once per
     * column of {@code targets}, but one forward serves them all: another target costs a backward, or less.
     * Methods that run the model again do so per target.
     *
     * <p>With {@code addTargets(inputs, targets, targets)} every target becomes a cluster, and has scores of its own.
     *
     * @param inputs [N, ...], as in {@link #add(Input, long[], long[])}
     * @param targets [N][K], each in [0, outputs), with K the same for all samples
     * @param clusters [N][K]; null puts everything into cluster 0
     * @throws InputException if inputs, targets or clusters do not fit the model or each other
     * @throws UnsupportedModelException if the samples of a batch interact in the model
     * @throws ArgumentException if the attribution's target is not the label
     * @throws IllegalStateException if the attribution is closed
     */
    public void addTargets(Input inputs, long[][] targets, long[][] clusters) {
        int perSample = targets.length == 0 ? 1 : targets[0].length;
        long[] flatTargets = flat(targets, perSample, "targets");
        long[] flatClusters = clusters == null ? null : flat(clusters, perSample, "clusters");
        add(inputs, flatTargets, flatClusters, perSample);
    }

    /**
     * Adds a batch of several inputs in which each sample is explained for several outputs, as
     * {@link #addTargets(Input, long[][], long[][])}.
     *
     * @param inputs [N, ...] each
     * @param targets [N][K], each in [0, outputs), with K the same for all samples
     * @param clusters [N][K]; null puts everything into cluster 0
     */
    public void addTargets(Inputs inputs, long[][] targets, long[][] clusters) {
        addNamed(inputs, table(targets, targets, "targets"), table(clusters, targets, "clusters"));
    }

    /** The rows, each as long as the first of `like`; one integer per row where that is 1, null for null. */
    private static Input table(long[][] rows, long[][] like, String what) {
        int width = like.length == 0 ? 1 : like[0].length;
        if (rows == null) {
            return null;
        }
        long[] all = flat(rows, width, what);
        return width == 1 ? Input.perSample(all) : Input.of(all, rows.length, width);
    }

    private void add(Input inputs, long[] labels, long[] clusters, int perSample) {
        inputs.use((source, data, offset, shape) -> {
            long[] integers = BatchIntegers.pack(shape, labels, clusters, perSample);
            handle.run((calls, id) -> calls.add(id, source, data, offset, shape, integers));
            return null;
        });
    }

    // Here and below no stream: until the JVM compiles it, after thousands of batches, it takes 0.2 ms for 20 targets.
    private static long[] flat(long[][] rows, int width, String what) {
        long[] all = new long[Math.multiplyExact(rows.length, width)];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != width || width == 0) {
                throw new InputException("sample " + i + " has " + rows[i].length + " " + what + " where "
                        + (width == 0 ? "at least 1 is" : width + " are") + " expected: give as many for each sample");
            }
            System.arraycopy(rows[i], 0, all, i * width, width);
        }
        return all;
    }

    /**
     * {@return the values per sample of a batch: one entry per layer call and method, ordered by layer (execution order),
     * call, method} It adds nothing to the scores. With {@link Positions#EACH} those methods that have a value at each
     * position give one for each.
     *
     * <p>The centred method takes the {@linkplain Builder#means means} that were given, else those of the samples that were
     * added before. Of a model of one output y is the output itself for label 0 as long as no label was 1, as in scores.
     *
     * @param inputs [N, ...], the model's input, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     * @throws InputException if inputs or labels do not fit the model or each other
     * @throws UnsupportedModelException if the samples of a batch interact in the model, or its outputs are not those
     *     that its file gives by itself
     * @throws LayerException if no gradient that a method needs leads from the output to a layer
     * @throws ArgumentException if the target is beyond the outputs, or {@link Method#GRADIENT_X_CENTRED_ACTIVATION} is
     *     asked for and neither means nor samples that were added tell the mean
     * @throws DeviceException if a single sample does not fit into the device's memory, or the device broke
     * @throws IllegalStateException if the attribution is closed
     */
    public List<Explanation> explain(Input inputs, long[] labels) {
        return inputs.use((source, data, offset, shape) -> {
            long[] integers = BatchIntegers.pack(shape, labels, null, 1);
            return handle.use(
                    (calls, id) -> Decoder.explanations(calls.explain(id, source, data, offset, shape, integers)));
        });
    }

    /**
     * {@return the values per sample of a batch of several inputs, as {@link #explain(Input, long[])}}
     *
     * @param inputs [N, ...] each, finite
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     */
    public List<Explanation> explain(Inputs inputs, long[] labels) {
        return explain(inputs, Input.perSample(labels));
    }

    /**
     * {@return the values per sample of a batch with a label per position, or with weights of the outputs, as
     * {@link #explain(Input, long[])}}
     *
     * @param inputs [N, ...] each, finite
     * @param labels as in {@link #add(Inputs, Input, long[])}
     */
    public List<Explanation> explain(Inputs inputs, Input labels) {
        return inputs.use(
                labels,
                null,
                (names, data, layout) ->
                        handle.use((calls, id) -> Decoder.explanations(calls.explainInputs(id, names, data, layout))));
    }

    /**
     * {@return the values per sample of a batch of samples that are one row each, as {@link #explain(Input, long[])}}
     *
     * @param rows [N][features]
     * @param labels [N]; may be null unless the target is the label
     */
    public List<Explanation> explain(float[][] rows, int[] labels) {
        return explain(Input.of(rows), Input.widened(labels));
    }

    /**
     * Writes the values per sample of a batch into memory of the caller's, for services that give the garbage collector
     * nothing to do: those of {@link #explain(Input, long[])}, one entry after the other, each
     * [samples, neurons] or [samples, positions, neurons].
     *
     * @param inputs [N, ...]
     * @param labels [N]; may be null unless the target is the label
     * @param into heap or direct, from its position on, which stays where it is; a direct buffer must have the machine's byte
     *     order
     * @return how many values were written
     * @throws ArgumentException if there is too little room, with the number of values; or as {@link #explain(Input, long[])}
     */
    public long explain(Input inputs, long[] labels, DoubleBuffer into) {
        return explain(inputs, labels, Room.of(into));
    }

    /**
     * Writes the values per sample of a batch into an array of the caller's, as
     * {@link #explain(Input, long[], DoubleBuffer)}.
     *
     * @param inputs [N, ...]
     * @param labels [N]; may be null unless the target is the label
     * @param into from its first element on
     * @return how many values were written
     */
    public long explain(Input inputs, long[] labels, double[] into) {
        return explain(inputs, labels, Room.of(into));
    }

    /**
     * Writes the values per sample of a batch of several inputs into memory of the caller's, as
     * {@link #explain(Input, long[], DoubleBuffer)}.
     *
     * @param inputs [N, ...] each
     * @param labels as in {@link #add(Inputs, Input, long[])}
     * @param into heap or direct, from its position on, which stays where it is
     * @return how many values were written
     */
    public long explain(Inputs inputs, Input labels, DoubleBuffer into) {
        return explain(inputs, labels, Room.of(into));
    }

    /**
     * Writes the values per sample of a batch of several inputs into an array of the caller's, as
     * {@link #explain(Input, long[], DoubleBuffer)}.
     *
     * @param inputs [N, ...] each
     * @param labels as in {@link #add(Inputs, Input, long[])}
     * @param into from its first element on
     * @return how many values were written
     */
    public long explain(Inputs inputs, Input labels, double[] into) {
        return explain(inputs, labels, Room.of(into));
    }

    private long explain(Input inputs, long[] labels, Room into) {
        return inputs.use((source, data, offset, shape) -> {
            long[] integers = BatchIntegers.pack(shape, labels, null, 1);
            return handle.use((calls, id) -> calls.explainInto(id, source, data, offset, shape, integers, into));
        });
    }

    private long explain(Inputs inputs, Input labels, Room into) {
        return inputs.use(
                labels,
                null,
                (names, data, layout) ->
                        handle.use((calls, id) -> calls.explainInputsInto(id, names, data, layout, into)));
    }

    /**
     * {@return the samples of the largest values among all that were added, {@link Builder#examples(int)} per layer call,
     * cluster, method and neuron, ordered by these and by rank; equal values by the lower number} None without that option,
     * and none of {@link Method#RANDOM}.
     *
     * <p>Samples are numbered as their batches were counted, from 0: in the order of the calls where one thread adds them.
     * Those of a merged state follow on one's own.
     *
     * @throws ArgumentException for a model of one output as long as no label is 1, if the target is the label
     * @throws IllegalStateException if the attribution is closed
     */
    public List<Example> examples() {
        return handle.use((calls, id) -> Decoder.examples(calls.examples(id)));
    }

    /**
     * {@return how often a batch, or a half of one, did not fit into the memory of its device and was cut in two} It is 0
     * where all is well; a smaller batch from the start saves the runs that failed.
     *
     * @throws IllegalStateException if the attribution is closed
     */
    public long batchesSplit() {
        return handle.use(Calls::batchesSplit);
    }

    /**
     * {@return how many batches a CUDA device replayed from a recording, as {@link Builder#cudaGraphs} says} It is 0 where
     * nothing is recorded.
     *
     * @throws IllegalStateException if the attribution is closed
     */
    public long batchesReplayed() {
        return handle.use(Calls::batchesReplayed);
    }

    /**
     * {@return why some batches cannot be recorded, in one line; empty where nothing was in the way so far} They are added
     * all the same, which takes longer.
     *
     * @throws IllegalStateException if the attribution is closed
     */
    public Optional<String> graphRefusal() {
        String reason = Text.of(handle.use(Calls::graphRefusal));
        return reason.isEmpty() ? Optional.empty() : Optional.of(reason);
    }

    /**
     * {@return the scores of all batches added so far}
     *
     * @throws IllegalStateException if the attribution is closed
     */
    public Scores scores() {
        return handle.use((calls, id) -> Decoder.scores(calls, calls.scores(id)));
    }

    /**
     * {@return all that was added so far, as bytes, to go on with later or in another process}
     *
     * @throws PreGradException if it is more than a Java array holds
     * @throws IllegalStateException if the attribution is closed
     */
    public byte[] save() {
        return handle.use(Calls::save);
    }

    /**
     * Takes the place of all that was added so far. Scores go on to the last bit as if there had been no break.
     *
     * @param state what {@link #save()} gave for an attribution of the same layers, methods and options
     * @throws ArgumentException if it is not; nothing is changed then
     * @throws IllegalStateException if the attribution is closed
     */
    public void restore(byte[] state) {
        Objects.requireNonNull(state, "state");
        handle.run((calls, id) -> calls.restore(id, state));
    }

    /**
     * Adds what another attribution has added, in this process or in another: calls of a layer and clusters that only one of
     * them has, too. Any thread may merge while others add.
     *
     * <p>Scores become those of one attribution to which the batches of both were added, whoever had which and in whatever
     * order they are merged. Sums are kept in 106 bits: those of the values and of their magnitudes are exact, and so the
     * same to the last bit, as long as what the batches add to a neuron lies within a factor of 2³⁰ of each other;
     * elsewhere, and in squares, the order may show beyond the 100th bit, which a double shows about once in 10¹². The same
     * states merged in the same order give the same bytes. The model must be the same, which no state can tell.
     *
     * @param state what {@link #save()} gave for an attribution of the same layers, methods and options
     * @throws ArgumentException if it is not, or if a layer has another number of neurons there; nothing is changed then
     * @throws IllegalStateException if the attribution is closed
     */
    public void merge(byte[] state) {
        Objects.requireNonNull(state, "state");
        handle.run((calls, id) -> calls.merge(id, state));
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
