package org.pregrad.internal;

/**
 * The calls of {@link Native} that concern one model and what is opened of it, made in this process or in one of its own.
 * What they take and give is described there. No two have the same name, and what is not in the arguments goes back in the
 * result, so that a call can be sent on as its name and its arguments; the one exception are arrays of doubles, which the
 * callee fills.
 *
 * <p>An input is {@code source, data, offset, shape}, several are {@code data, layout}, always in this order.
 */
public interface Calls {
    /**
     * Loads the native libraries if they are not yet.
     *
     * @param threads how many threads an operation may use; 0 for LibTorch's own choice
     */
    void prepare(int threads);

    boolean release(long handle);

    long loadModel(byte[] path, byte[] options);

    long randomised(long model, long seed);

    void cancelModel(long model);

    byte[] layers(long model);

    byte[] layersOfShape(long model, long[] shape);

    byte[] namedLayersOfShape(long model, long[] shape, byte[] names);

    byte[] namedLayersOfInput(long model, int source, Object data, long offset, long[] shape, byte[] names);

    byte[] layersOfInput(long model, int source, Object data, long offset, long[] shape);

    byte[] layersOfInputs(long model, byte[] names, Object[] data, long[] layout);

    byte[] namedLayersOfInputs(long model, byte[] names, Object[] data, long[] layout, byte[] layers);

    byte[] modelInputs(long model);

    Object[] forwardInputs(long model, byte[] names, Object[] data, long[] layout);

    Object[] outputs(long model, byte[] names, Object[] data, long[] layout);

    Object[] forward(long model, int source, Object data, long offset, long[] shape);

    long attribution(long model, byte[] options, int source, Object data, long offset, long[] shape);

    long attributionFromInputs(long model, byte[] options, byte[] names, Object[] data, long[] layout);

    void addInputs(long attribution, byte[] names, Object[] data, long[] layout);

    /** @param shape that of the inputs, which the integers have too */
    void add(long attribution, int source, Object data, long offset, long[] shape, long[] integers);

    /** What the values are of, as {@link Records}, and all of them, a double[]. */
    Object[] explain(long attribution, int source, Object data, long offset, long[] shape, long[] integers);

    Object[] explainInputs(long attribution, byte[] names, Object[] data, long[] layout);

    /** {@return how many values were written into the caller's memory} */
    default long explainInto(
            long attribution, int source, Object data, long offset, long[] shape, long[] integers, Room into) {
        return into.put((double[]) explain(attribution, source, data, offset, shape, integers)[1]);
    }

    /** {@return how many values were written into the caller's memory} */
    default long explainInputsInto(long attribution, byte[] names, Object[] data, long[] layout, Room into) {
        return into.put((double[]) explainInputs(attribution, names, data, layout)[1]);
    }

    byte[] examples(long attribution);

    long batchesSplit(long attribution);

    long batchesReplayed(long attribution);

    byte[] graphRefusal(long attribution);

    long scores(long attribution);

    byte[] scoresIndex(long snapshot);

    /** Writes the values of all entries: each has an array for mean, mean_abs, rms and std, one element per neuron. */
    void scoresValues(long snapshot, double[][][] entries);

    byte[] save(long attribution);

    void restore(long attribution, byte[] state);

    void merge(long attribution, byte[] state);

    long ablation(long model, byte[] options);

    void ablationAdd(long ablation, int source, Object data, long offset, long[] shape, long[] labels, long[] clusters);

    void ablationAddInputs(long ablation, byte[] names, Object[] data, long[] layout);

    long ablationBatchesSplit(long ablation);

    byte[] curves(long ablation);

    byte[] ablationSave(long ablation);

    void ablationRestore(long ablation, byte[] state);

    void ablationMerge(long ablation, byte[] state);

    long check(long model, byte[] options);

    void checkAdd(long check, int source, Object data, long offset, long[] shape, long[] labels);

    void checkAddInputs(long check, byte[] names, Object[] data, long[] layout);

    byte[] checkResults(long check);

    long pruning(long model, byte[] options);

    void pruningAdd(long pruning, byte[] names, Object[] data, long[] layout);

    byte[] pruningResult(long pruning);

    void pruningSaveWeights(long pruning, byte[] file);

    void pruningSaveExported(long pruning, byte[] source, byte[] file);
}
