package org.pregrad.internal;

/**
 * The entry points of libpregrad.so, and nothing else. A {@code long} handle is a number in the library's registry, so
 * that one that is wrong or was released is an {@link IllegalStateException}. Text is UTF-8. Every call handles a whole
 * batch.
 *
 * <p>An input is described by {@code source} (a constant below), {@code data} (the array or direct buffer),
 * {@code offset} (its first element there, or the address of the tensor) and {@code shape} (empty for a tensor).
 *
 * <p>Several inputs, and the labels and clusters that stand beside them, are described by {@code names} (of the inputs, a
 * NUL behind each; an empty one for the only input), {@code data} (one element each) and {@code layout}: for each one after
 * the other its source, its offset, 1 if all samples share it, the number of axes and their sizes.
 */
public final class Native {
    public static final int FLOAT_ARRAY = 0;
    public static final int DOUBLE_ARRAY = 1;
    public static final int LONG_ARRAY = 2;
    public static final int FLOAT_BUFFER = 3;
    public static final int DOUBLE_BUFFER = 4;
    public static final int LONG_BUFFER = 5;
    public static final int TENSOR = 6;
    /** No input at all, where one may be left out. */
    public static final int NO_INPUT = 7;

    public static final int BOOLEAN_ARRAY = 8;

    private Native() {}

    /** The version of PreGrad that the library was built from. */
    public static native byte[] version();

    /** The version of the LibTorch that runs. */
    public static native byte[] libtorchVersion();

    public static native void setThreads(int threads);

    /** Lets OpenBLAS run on LibTorch's threads; false if there is no OpenBLAS that can. */
    public static native boolean joinOpenBlasThreads();

    /** Lets the process end well though calls run: to be called when the JVM begins to exit. */
    public static native void leaveRunningCallsAtExit();

    /** How many handles are not yet released. */
    public static native long liveHandles();

    /** Forgets the handle; true if it was alive. */
    public static native boolean release(long handle);

    public static native long loadModel(byte[] path, byte[] options);

    /** The model with shuffled weights, to be released. */
    public static native long randomised(long model, long seed);

    /** Ends the calls that run on this model, and on what was made of it. */
    public static native void cancelModel(long model);

    /** Layers as {@link Records}. */
    public static native byte[] layers(long model);

    public static native byte[] layersOfShape(long model, long[] shape);

    /** @param names in UTF-8, a NUL behind each */
    public static native byte[] namedLayersOfShape(long model, long[] shape, byte[] names);

    /** @param names in UTF-8, a NUL behind each */
    public static native byte[] namedLayersOfInput(
            long model, int source, Object data, long offset, long[] shape, byte[] names);

    public static native byte[] layersOfInput(long model, int source, Object data, long offset, long[] shape);

    public static native byte[] layersOfInputs(long model, byte[] names, Object[] data, long[] layout);

    /** @param layers names in UTF-8, a NUL behind each */
    public static native byte[] namedLayersOfInputs(
            long model, byte[] names, Object[] data, long[] layout, byte[] layers);

    /** What goes into the model, as {@link Records}. */
    public static native byte[] modelInputs(long model);

    public static native Object[] forwardInputs(long model, byte[] names, Object[] data, long[] layout);

    /** The names, a byte[] with a NUL behind each, and for each an Object[] as {@link #forward} gives it. */
    public static native Object[] outputs(long model, byte[] names, Object[] data, long[] layout);

    /** The shape, a long[], and the values, a float[] or double[]. */
    public static native Object[] forward(long model, int source, Object data, long offset, long[] shape);

    /** The options as {@link OptionsWriter} packs them; the input is the baseline of paths in input space. */
    public static native long attribution(
            long model, byte[] options, int source, Object data, long offset, long[] shape);

    /**
     * The same where there are several inputs, each of them named by what it is for and its name: {@code baseline:NAME},
     * or {@code reference:NAME} of the expected gradients.
     */
    public static native long attributionFromInputs(
            long model, byte[] options, byte[] names, Object[] data, long[] layout);

    public static native void addInputs(long attribution, byte[] names, Object[] data, long[] layout);

    /** The integers as {@link BatchIntegers} packs them. */
    public static native void add(long attribution, int source, Object data, long offset, long[] integers);

    /** What the values are of, a byte[] of {@link Records}, and all of them one after the other, a double[]. */
    public static native Object[] explain(long attribution, int source, Object data, long offset, long[] integers);

    public static native Object[] explainInputs(long attribution, byte[] names, Object[] data, long[] layout);

    /** Writes the values into the array or, where that is null, into the direct buffer; how many there are. */
    public static native long explainInto(
            long attribution,
            int source,
            Object data,
            long offset,
            long[] integers,
            double[] array,
            Object buffer,
            long begin,
            long room);

    public static native long explainInputsInto(
            long attribution,
            byte[] names,
            Object[] data,
            long[] layout,
            double[] array,
            Object buffer,
            long begin,
            long room);

    /** Examples as {@link Records}. */
    public static native byte[] examples(long attribution);

    public static native long batchesSplit(long attribution);

    public static native long batchesReplayed(long attribution);

    /** One line of UTF-8; empty where nothing is in the way. */
    public static native byte[] graphRefusal(long attribution);

    /** A snapshot, to be released. */
    public static native long scores(long attribution);

    /** What a snapshot holds but for the values, as {@link Records}. */
    public static native byte[] scoresIndex(long snapshot);

    /** Writes the values of one entry; each array has one element per neuron. */
    public static native void scoresValues(
            long snapshot, int entry, double[] mean, double[] meanAbs, double[] rms, double[] std);

    public static native byte[] save(long attribution);

    public static native void restore(long attribution, byte[] state);

    public static native void merge(long attribution, byte[] state);

    /** The options as {@link OptionsWriter} packs them. */
    public static native long ablation(long model, byte[] options);

    public static native void ablationAdd(
            long ablation, int source, Object data, long offset, long[] shape, long[] labels, long[] clusters);

    public static native void ablationAddInputs(long ablation, byte[] names, Object[] data, long[] layout);

    public static native long ablationBatchesSplit(long ablation);

    /** Removal curves as {@link Records}. */
    public static native byte[] curves(long ablation);

    public static native byte[] ablationSave(long ablation);

    public static native void ablationRestore(long ablation, byte[] state);

    public static native void ablationMerge(long ablation, byte[] state);

    /** The options as {@link OptionsWriter} packs them. */
    public static native long check(long model, byte[] options);

    public static native void checkAdd(long check, int source, Object data, long offset, long[] shape, long[] labels);

    /** Of what stands beside the inputs only the labels are read. */
    public static native void checkAddInputs(long check, byte[] names, Object[] data, long[] layout);

    /** Results as {@link Records}. */
    public static native byte[] checkResults(long check);

    /** The options as {@link OptionsWriter} packs them. */
    public static native long pruning(long model, byte[] options);

    /** Of what stands beside the inputs only the labels are read. */
    public static native void pruningAdd(long pruning, byte[] names, Object[] data, long[] layout);

    /** The result as {@link Records}. */
    public static native byte[] pruningResult(long pruning);

    public static native void pruningSaveWeights(long pruning, byte[] file);

    public static native void pruningSaveExported(long pruning, byte[] source, byte[] file);

    /** Removal orders as {@link Records}. */
    public static native byte[] randomOrders(
            byte[] layer, long call, long cluster, long neurons, long repeats, long seed);

    public static native double rankCorrelation(double[] left, double[] right);

    /** The options as {@link OptionsWriter} packs them; differences as {@link Records}. */
    public static native byte[] differences(byte[] options);

    public static native double studentP(double t, double degrees);

    public static native double studentBound(double confidence, double degrees);

    public static native double[] falseDiscoveryRates(double[] p);

    /** @param values [samples, neurons]; the clusters, the entropies and an array per cluster as {@link Records} */
    public static native byte[] selectivity(double[] values, long neurons, long[] clusters);

    /** The options as {@link OptionsWriter} packs them. */
    public static native long probe(byte[] options);

    /** Assigns the tapped tensor to the one at {@code result}; the default axis is {@link Long#MIN_VALUE}. */
    public static native void tap(long probe, byte[] layer, long z, long neuronAxis, long result);

    /** Assigns the activation to use to the tensor at {@code result}. */
    public static native void activation(long probe, byte[] layer, long a, long result);

    public static native void probeAdd(long probe, long logits, long[] labels, long[] clusters);

    public static native void probeCollect(long probe, long[] clusters, double scale);

    public static native void discard(long probe);

    public static native byte[] probeLayers(long probe);

    /** A snapshot, to be released. */
    public static native long probeScores(long probe);
}
