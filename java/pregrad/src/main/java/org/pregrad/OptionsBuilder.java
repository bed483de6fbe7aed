package org.pregrad;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
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
     * Sets the seed of {@link Method#RANDOM}, by default 0.
     *
     * @param value the same seed gives the same scores
     * @return this
     */
    public B seed(long value) {
        seed = value;
        return self();
    }

    @Override
    void write(OptionsWriter options) {
        super.write(options);
        options.addTexts("methods", methods.stream().map(Method::id).toList());
        options.add("seed", seed);
    }
}
