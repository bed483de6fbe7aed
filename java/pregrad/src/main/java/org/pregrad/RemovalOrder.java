package org.pregrad;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.Text;

/**
 * In which order the neurons of a layer call are removed, and for which cluster. A plain value: the array is copied in
 * and out.
 *
 * @param layer canonical name of the layer, as {@link Layer#name()} gives it
 * @param call the call, from 0
 * @param cluster the cluster on whose samples the model is measured
 * @param method the method that the order stands for; only carried along
 * @param aggregate the aggregate that the order stands for; only carried along
 * @param repeat the how-manieth order of that method, from 0; only carried along
 * @param neurons every neuron of the layer once; the first is removed first
 * @param keep whether neurons are kept in this order rather than removed in it: the first is removed last, so that where k
 *     are removed the first n − k are all that is left
 */
public record RemovalOrder(
        String layer,
        long call,
        long cluster,
        Method method,
        Aggregate aggregate,
        int repeat,
        int[] neurons,
        boolean keep) {
    /** Copies the array. */
    public RemovalOrder {
        Objects.requireNonNull(layer, "layer");
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(aggregate, "aggregate");
        neurons = neurons.clone();
    }

    /**
     * An order in which neurons are removed.
     *
     * @param layer canonical name of the layer
     * @param call the call, from 0
     * @param cluster the cluster on whose samples the model is measured
     * @param method the method that the order stands for; only carried along
     * @param aggregate the aggregate that the order stands for; only carried along
     * @param repeat the how-manieth order of that method, from 0; only carried along
     * @param neurons every neuron of the layer once; the first is removed first
     */
    public RemovalOrder(
            String layer, long call, long cluster, Method method, Aggregate aggregate, int repeat, int[] neurons) {
        this(layer, call, cluster, method, aggregate, repeat, neurons, false);
    }

    /** {@return this order with its neurons kept in it rather than removed} */
    public RemovalOrder kept() {
        return new RemovalOrder(layer, call, cluster, method, aggregate, repeat, neurons, true);
    }

    /**
     * {@return the order of falling score, {@link Score#ranking}}
     *
     * @param score the scores of one layer call, cluster and method
     * @param aggregate the aggregate that counts as the score
     */
    public static RemovalOrder of(Score score, Aggregate aggregate) {
        return new RemovalOrder(
                score.layer(), score.call(), score.cluster(), score.method(), aggregate, 0, score.ranking(aggregate));
    }

    /**
     * {@return orders drawn by a seed, of {@link Method#RANDOM} and {@link Aggregate#MEAN}; the first is that of the
     * scores of {@link Method#RANDOM}}
     *
     * @param layer canonical name of the layer
     * @param call the call, from 0
     * @param cluster the cluster
     * @param neurons how many neurons the layer has
     * @param repeats how many orders
     * @param seed the same seed gives the same orders
     * @throws ArgumentException if a count is negative
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static List<RemovalOrder> random(
            String layer, long call, long cluster, int neurons, int repeats, long seed) {
        Loader.load();
        return Decoder.orders(Native.randomOrders(Text.utf8(layer), call, cluster, neurons, repeats, seed));
    }

    /** {@return every neuron once, the first is removed first; a copy} */
    @Override
    public int[] neurons() {
        return neurons.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RemovalOrder that
                && layer.equals(that.layer)
                && call == that.call
                && cluster == that.cluster
                && method == that.method
                && aggregate == that.aggregate
                && repeat == that.repeat
                && keep == that.keep
                && Arrays.equals(neurons, that.neurons);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layer, call, cluster, method, aggregate, repeat, Arrays.hashCode(neurons), keep);
    }

    /** {@return e.g. {@code relu@1, cluster 3, gradient mean 0: 16 neurons}} */
    @Override
    public String toString() {
        return layer + "@" + call + ", cluster " + cluster + ", " + method.id() + " " + aggregate.id() + " " + repeat
                + (keep ? " kept" : "") + ": " + neurons.length + " neurons";
    }
}
