package org.pregrad;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.pregrad.internal.OptionsWriter;

/**
 * Collects what to compute; the defaults are those of the command.
 *
 * @param <B> the builder itself
 */
public abstract sealed class OptionsBuilder<B extends OptionsBuilder<B>> extends LayersBuilder<B>
        permits Attribution.Builder, Probe.Builder {
    private List<Method> methods = List.of(Method.GRADIENT);
    private long seed;
    private Positions positions = Positions.TOGETHER;
    private long memoryLimit;

    OptionsBuilder() {}

    /**
     * Sets the methods, by default {@link Method#GRADIENT}.
     *
     * @param values one or more
     * @return this
     */
    public B methods(Method... values) {
        return methods(Arrays.asList(values));
    }

    /**
     * Sets the methods, by default {@link Method#GRADIENT}.
     *
     * @param values one or more
     * @return this
     */
    public B methods(Collection<Method> values) {
        methods = List.copyOf(values);
        return self();
    }

    /**
     * Sets the seed of what is drawn: {@link Method#RANDOM}, {@link Method#SHAPLEY}, {@link Method#EXPECTED_GRADIENTS}; by
     * default 0.
     *
     * @param value the same seed gives the same scores
     * @return this
     */
    public B seed(long value) {
        seed = value;
        return self();
    }

    /**
     * Sets whether each position of a layer has scores of its own, by default {@link Positions#TOGETHER}.
     *
     * @param value the choice
     * @return this
     */
    public B positions(Positions value) {
        positions = Objects.requireNonNull(value, "positions");
        return self();
    }

    /**
     * Sets the most memory that the sums behind the scores may take, which many positions, neurons and clusters may exceed.
     * A batch that needs more is refused with an {@link ArgumentException} that says how much, before it is counted.
     *
     * @param bytes at least 0; 0, the default, stands for half of what the machine, or the process's control group, has
     *     left, since the scores read of the sums are a copy
     * @return this
     */
    public B memoryLimit(long bytes) {
        if (bytes < 0) {
            throw new ArgumentException(
                    "the memory limit is " + bytes + ": give a number of bytes, or 0 for what is left");
        }
        memoryLimit = bytes;
        return self();
    }

    @Override
    void write(OptionsWriter options) {
        super.write(options);
        options.addTexts("methods", methods.stream().map(Method::id).toList());
        options.add("seed", seed);
        options.add("positions", positions.id());
        options.add("memoryLimit", memoryLimit);
    }
}
