package org.pregrad;

import java.util.List;

/**
 * One activation call site of a model, as {@code pregrad layers} prints it.
 *
 * @param name path of the module in whose {@code forward} the activation runs; the root's is {@code forward}
 * @param call how-manieth execution under that name in one forward, from 0
 * @param op the activation, e.g. {@code relu}: the operator's name, the class of a module that computes it in parts, or
 *     the names of its operators ({@code mul·sigmoid}); {@code output} or {@code input} for a tensor that leaves or enters
 *     a module
 * @param inPlace whether the model applies it in place
 * @param neurons size of the neuron axis; -1 if the model was not run
 * @param neuronAxis axis of z that counts neurons; -1 if the model was not run
 * @param shape shape of z, batch axis first; empty if the model was not run
 * @param preActivation path of the module whose output is z; empty if z is no module's output
 * @param operators the names of the operators that the activation is made of, in alphabetical order, with {@code ·}
 *     between them
 */
public record Layer(
        String name,
        long call,
        String op,
        boolean inPlace,
        long neurons,
        long neuronAxis,
        List<Long> shape,
        String preActivation,
        String operators) {
    /** A layer of which it is not told what it is made of. */
    public Layer(
            String name,
            long call,
            String op,
            boolean inPlace,
            long neurons,
            long neuronAxis,
            List<Long> shape,
            String preActivation) {
        this(name, call, op, inPlace, neurons, neuronAxis, shape, preActivation, op);
    }

    /** {@return the name of this one call, e.g. {@code layer1.0.relu@1}} */
    public String id() {
        return name + "@" + call;
    }
}
