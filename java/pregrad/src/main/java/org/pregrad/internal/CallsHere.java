package org.pregrad.internal;

import org.pregrad.DeviceException;

/** Calls into the library that this process has loaded. */
public final class CallsHere implements Calls {
    /** All there need be. */
    public static final Calls HERE = new CallsHere();

    private CallsHere() {}

    @Override
    public void prepare(int threads) {
        Loader.load();
        if (threads > 0) {
            Loader.setThreads(threads);
        }
    }

    @Override
    public boolean release(long handle) {
        return Native.release(handle);
    }

    @Override
    public long loadModel(byte[] path, byte[] options) {
        try {
            return Native.loadModel(path, options);
        } catch (DeviceException e) {
            throw LibTorch.explained(e);
        }
    }

    @Override
    public long randomised(long model, long seed) {
        return Native.randomised(model, seed);
    }

    @Override
    public void cancelModel(long model) {
        Native.cancelModel(model);
    }

    @Override
    public byte[] layers(long model) {
        return Native.layers(model);
    }

    @Override
    public byte[] layersOfShape(long model, long[] shape) {
        return Native.layersOfShape(model, shape);
    }

    @Override
    public byte[] namedLayersOfShape(long model, long[] shape, byte[] names) {
        return Native.namedLayersOfShape(model, shape, names);
    }

    @Override
    public byte[] namedLayersOfInput(long model, int source, Object data, long offset, long[] shape, byte[] names) {
        return Native.namedLayersOfInput(model, source, data, offset, shape, names);
    }

    @Override
    public byte[] layersOfInput(long model, int source, Object data, long offset, long[] shape) {
        return Native.layersOfInput(model, source, data, offset, shape);
    }

    @Override
    public byte[] layersOfInputs(long model, byte[] names, Object[] data, long[] layout) {
        return Native.layersOfInputs(model, names, data, layout);
    }

    @Override
    public byte[] namedLayersOfInputs(long model, byte[] names, Object[] data, long[] layout, byte[] layers) {
        return Native.namedLayersOfInputs(model, names, data, layout, layers);
    }

    @Override
    public byte[] modelInputs(long model) {
        return Native.modelInputs(model);
    }

    @Override
    public Object[] forwardInputs(long model, byte[] names, Object[] data, long[] layout) {
        return Native.forwardInputs(model, names, data, layout);
    }

    @Override
    public Object[] outputs(long model, byte[] names, Object[] data, long[] layout) {
        return Native.outputs(model, names, data, layout);
    }

    @Override
    public Object[] forward(long model, int source, Object data, long offset, long[] shape) {
        return Native.forward(model, source, data, offset, shape);
    }

    @Override
    public long attribution(long model, byte[] options, int source, Object data, long offset, long[] shape) {
        return Native.attribution(model, options, source, data, offset, shape);
    }

    @Override
    public long attributionFromInputs(long model, byte[] options, byte[] names, Object[] data, long[] layout) {
        return Native.attributionFromInputs(model, options, names, data, layout);
    }

    @Override
    public void addInputs(long attribution, byte[] names, Object[] data, long[] layout) {
        Native.addInputs(attribution, names, data, layout);
    }

    @Override
    public void add(long attribution, int source, Object data, long offset, long[] shape, long[] integers) {
        Native.add(attribution, source, data, offset, integers);
    }

    @Override
    public Object[] explain(long attribution, int source, Object data, long offset, long[] shape, long[] integers) {
        return Native.explain(attribution, source, data, offset, integers);
    }

    @Override
    public Object[] explainInputs(long attribution, byte[] names, Object[] data, long[] layout) {
        return Native.explainInputs(attribution, names, data, layout);
    }

    @Override
    public long explainInto(
            long attribution, int source, Object data, long offset, long[] shape, long[] integers, Room into) {
        return Native.explainInto(
                attribution, source, data, offset, integers, into.array(), into.buffer(), into.begin(), into.size());
    }

    @Override
    public long explainInputsInto(long attribution, byte[] names, Object[] data, long[] layout, Room into) {
        return Native.explainInputsInto(
                attribution, names, data, layout, into.array(), into.buffer(), into.begin(), into.size());
    }

    @Override
    public byte[] examples(long attribution) {
        return Native.examples(attribution);
    }

    @Override
    public long batchesSplit(long attribution) {
        return Native.batchesSplit(attribution);
    }

    @Override
    public long batchesReplayed(long attribution) {
        return Native.batchesReplayed(attribution);
    }

    @Override
    public byte[] graphRefusal(long attribution) {
        return Native.graphRefusal(attribution);
    }

    @Override
    public long scores(long attribution) {
        return Native.scores(attribution);
    }

    @Override
    public byte[] scoresIndex(long snapshot) {
        return Native.scoresIndex(snapshot);
    }

    @Override
    public void scoresValues(long snapshot, double[][][] entries) {
        for (int i = 0; i < entries.length; i++) {
            double[][] values = entries[i];
            Native.scoresValues(snapshot, i, values[0], values[1], values[2], values[3]);
        }
    }

    @Override
    public byte[] save(long attribution) {
        return Native.save(attribution);
    }

    @Override
    public void restore(long attribution, byte[] state) {
        Native.restore(attribution, state);
    }

    @Override
    public void merge(long attribution, byte[] state) {
        Native.merge(attribution, state);
    }

    @Override
    public long ablation(long model, byte[] options) {
        return Native.ablation(model, options);
    }

    @Override
    public void ablationAdd(
            long ablation, int source, Object data, long offset, long[] shape, long[] labels, long[] clusters) {
        Native.ablationAdd(ablation, source, data, offset, shape, labels, clusters);
    }

    @Override
    public void ablationAddInputs(long ablation, byte[] names, Object[] data, long[] layout) {
        Native.ablationAddInputs(ablation, names, data, layout);
    }

    @Override
    public long ablationBatchesSplit(long ablation) {
        return Native.ablationBatchesSplit(ablation);
    }

    @Override
    public byte[] curves(long ablation) {
        return Native.curves(ablation);
    }

    @Override
    public byte[] ablationSave(long ablation) {
        return Native.ablationSave(ablation);
    }

    @Override
    public void ablationRestore(long ablation, byte[] state) {
        Native.ablationRestore(ablation, state);
    }

    @Override
    public void ablationMerge(long ablation, byte[] state) {
        Native.ablationMerge(ablation, state);
    }

    @Override
    public long check(long model, byte[] options) {
        return Native.check(model, options);
    }

    @Override
    public void checkAdd(long check, int source, Object data, long offset, long[] shape, long[] labels) {
        Native.checkAdd(check, source, data, offset, shape, labels);
    }

    @Override
    public void checkAddInputs(long check, byte[] names, Object[] data, long[] layout) {
        Native.checkAddInputs(check, names, data, layout);
    }

    @Override
    public byte[] checkResults(long check) {
        return Native.checkResults(check);
    }

    @Override
    public long pruning(long model, byte[] options) {
        return Native.pruning(model, options);
    }

    @Override
    public void pruningAdd(long pruning, byte[] names, Object[] data, long[] layout) {
        Native.pruningAdd(pruning, names, data, layout);
    }

    @Override
    public byte[] pruningResult(long pruning) {
        return Native.pruningResult(pruning);
    }

    @Override
    public void pruningSaveWeights(long pruning, byte[] file) {
        Native.pruningSaveWeights(pruning, file);
    }

    @Override
    public void pruningSaveExported(long pruning, byte[] source, byte[] file) {
        Native.pruningSaveExported(pruning, source, file);
    }
}
