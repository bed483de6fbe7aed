package org.pregrad;

import java.util.List;

/**
 * One activation call site of a model, as {@code pregrad layers} prints it.
 *
 * @param name path of the module in whose {@code forward} the activation runs; the root's is {@code forward}
 * @param call how-manieth execution under that name in one forward, from 0
 * @param op the activation, e.g. {@code relu}; {@code identity} for a module output without an activation
 * @param inPlace whether the model applies it in place
 * @param neurons size of the neuron axis; -1 if the model was not run
 * @param neuronAxis axis of z that counts neurons; -1 if the model was not run
 * @param shape shape of z, batch axis first; empty if the model was not run
 * @param preActivation path of the module whose output is z; empty if z is no module's output
 */
public record Layer(
        String name,
        long call,
        String op,
        boolean inPlace,
        long neurons,
        long neuronAxis,
        List<Long> shape,
        String preActivation) {
    /** {@return the name of this one call, e.g. {@code layer1.0.relu@1}} */
    public String id() {
        return name + "@" + call;
    }
}
