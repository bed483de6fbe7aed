package org.pregrad;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.pregrad.internal.CallsHere;
import org.pregrad.internal.Handle;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.Tensors;
import org.pregrad.internal.Text;

/**
 * Scores for a model that is not a file: a module written in Java with JavaCPP, or any function of tensors.
 *
 * <p>In the forward, pass each pre-activation through {@code z = probe.tap("fc1", z)} and go on with what it returns;
 * after the forward, {@link #add} runs one backward and accumulates. A program that runs its own backward, such as a
 * training loop, calls {@link #collect} after it instead. Taps and add or collect of one forward belong to the thread that
 * runs it, so any number of threads may share a probe.
 *
 * <p>Close it: {@link #close()} waits for threads that still compute, and may be called twice. Whatever else is called
 * afterwards throws {@link IllegalStateException}. The tensors that it returns belong to the caller and outlive it.
 */
public final class Probe implements AutoCloseable {
    private static final long DEFAULT_AXIS = Long.MIN_VALUE;

    private final Handle handle;

    private Probe(long id) {
        handle = new Handle(CallsHere.HERE, id, "Probe");
    }

    /** {@return what collects the options of a probe} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Collects what to compute; the defaults are those of the command, and every layer that is tapped. A probe cannot run
     * the model again, so {@link Method#INTEGRATED_GRADIENTS}, {@link Method#CONDUCTANCE},
     * {@link Method#INTERNAL_INFLUENCE} and {@link Method#ABLATION} are an {@link ArgumentException}.
     */
    public static final class Builder extends OptionsBuilder<Builder> {
        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * A probe is given the output itself.
         *
         * @throws ArgumentException always
         */
        @Override
        public Builder outputName(String value) {
            throw new ArgumentException("a probe has no outputs by name: give Probe.add the one that counts");
        }

        /**
         * A probe is given no inputs.
         *
         * @throws ArgumentException always
         */
        @Override
        public Builder mask(String inputName) {
            throw new ArgumentException("a probe has no inputs by name: tap z without the positions that do not count");
        }

        /**
         * {@return the probe, to be closed by the caller}
         *
         * @throws ArgumentException if an option is wrong, or {@code pregrad.libtorch} is set: tensors of JavaCPP live
         *     in the LibTorch of its presets
         * @throws PreGradException if the native libraries cannot be loaded
         */
        public Probe open() {
            Loader.load();
            Tensors.check();
            return new Probe(Native.probe(packed()));
        }
    }

    /**
     * {@return the tensor to use instead of z: equal to it, and safe to be changed in place}
     *
     * <p>The neuron axis is 1 for z of rank 2, 4 and 5, and the last for rank 3.
     *
     * @param layer the name of the layer
     * @param z [N, ...], the pre-activation
     * @throws InputException if z has no batch axis or is not floating point
     * @throws IllegalStateException if gradients are switched off, or the probe is closed
     */
    public Tensor tap(String layer, Tensor z) {
        return tapped(layer, z, DEFAULT_AXIS);
    }

    /**
     * {@return the tensor to use instead of z: equal to it, and safe to be changed in place}
     *
     * @param layer the name of the layer
     * @param z [N, ...], the pre-activation
     * @param neuronAxis the axis of z that counts neurons
     * @throws InputException if z has no such axis or is not floating point
     * @throws IllegalStateException if gradients are switched off, or the probe is closed
     */
    public Tensor tap(String layer, Tensor z, long neuronAxis) {
        if (neuronAxis < 0) {
            throw new InputException("neuron axis " + neuronAxis + " is negative: give an axis of z from 1");
        }
        return tapped(layer, z, neuronAxis);
    }

    private Tensor tapped(String layer, Tensor z, long axis) {
        byte[] name = Text.utf8(layer);
        return Tensors.map(z, (from, to) -> handle.run((calls, id) -> Native.tap(id, name, from, axis, to)));
    }

    /**
     * {@return the tensor to use instead of the activation}
     *
     * <p>Names the activation that belongs to this thread's last {@link #tap} of that layer, for the methods that need
     * it.
     *
     * @param layer the name of the layer
     * @param a [N, ...], the activation
     * @throws IllegalStateException if the layer was not tapped, or the probe is closed
     */
    public Tensor activation(String layer, Tensor a) {
        byte[] name = Text.utf8(layer);
        return Tensors.map(a, (from, to) -> handle.run((calls, id) -> Native.activation(id, name, from, to)));
    }

    /**
     * Ends the forward of this thread: one backward from the logits, statistics of every tapped layer.
     *
     * @param logits [N, outputs]
     * @param labels [N], each in [0, outputs); may be null unless the target is the label
     * @param clusters [N]; null puts all samples into cluster 0
     * @throws InputException if logits, labels or clusters do not fit each other
     * @throws ArgumentException if a method needs an activation that was not named
     * @throws IllegalStateException if nothing was tapped, or the probe is closed
     */
    public void add(Tensor logits, long[] labels, long[] clusters) {
        Tensors.use(
                logits,
                address -> handle.use((calls, id) -> {
                    Native.probeAdd(id, address, labels, clusters);
                    return null;
                }));
    }

    /**
     * Ends the forward of this thread after the program's own {@code backward()}, and adds what that left at the taps: the
     * gradient of its loss by z, from before any change in place, where {@link #add} takes that of an output. No backward
     * is run; {@code zero_grad} and the optimizer's step change nothing of it; the options {@code target} and
     * {@code output} have no part in it.
     *
     * <p>A batch whose samples interact, as by batch statistics, is allowed: the row of a sample is then what its z does to
     * the loss of all. Where gradients are accumulated, collect after each backward or once after the last: a tap after a
     * backward begins another forward, and the clusters are those of all forwards, one after the other. Every backward
     * since the forward counts.
     *
     * @param clusters [N]; null puts all samples into cluster 0
     * @param scale what the gradients are multiplied with: 1 leaves them, N undoes a loss that is the mean of N samples, 1/S
     *     a loss scaler's S
     * @throws IllegalStateException if nothing was tapped, no backward ran, or the probe is closed
     * @throws LayerException if the loss does not depend on a layer
     * @throws InputException if a gradient is NaN or infinite, or the clusters do not fit
     * @throws ArgumentException if the scale is 0 or not finite, or a method needs an activation that was not named
     */
    public void collect(long[] clusters, double scale) {
        handle.run((calls, id) -> Native.probeCollect(id, clusters, scale));
    }

    /**
     * Forgets what this thread tapped since its last {@link #add} or {@link #collect}, e.g. after a forward that threw, or
     * one without a backward.
     */
    public void discard() {
        handle.run((calls, id) -> Native.discard(id));
    }

    /** {@return the layers tapped in the forward of this thread since its last {@link #add} or {@link #collect}, in order} */
    public List<Layer> layers() {
        return handle.use((calls, id) -> Decoder.layers(Native.probeLayers(id)));
    }

    /** {@return the scores of all forwards added so far} */
    public Scores scores() {
        return handle.use((calls, id) -> Decoder.scores(calls, Native.probeScores(id)));
    }

    /** Gives the native memory back, as soon as no thread computes with it any more. */
    @Override
    public void close() {
        handle.close();
    }
}
