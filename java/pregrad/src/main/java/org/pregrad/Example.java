package org.pregrad;

/**
 * One of the samples that make a neuron speak.
 *
 * @param layer the canonical name, as {@link Layer#name()} gives it
 * @param call of the layer, from 0
 * @param cluster of the sample
 * @param method what the value is
 * @param neuron whose value it is
 * @param rank 0 for the largest value of a cluster, method and neuron
 * @param sample how-manieth of all that were added, from 0
 * @param position the one where the value is largest, row-major over the axes of positions; 0 for a layer without
 *     positions. A method that does not tell a value at each position gives that of the largest activation
 * @param value of the sample, as the method has it
 */
public record Example(
        String layer,
        long call,
        long cluster,
        Method method,
        int neuron,
        int rank,
        long sample,
        long position,
        double value) {}
