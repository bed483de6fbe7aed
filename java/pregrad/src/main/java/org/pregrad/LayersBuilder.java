package org.pregrad;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.pregrad.internal.OptionsWriter;

/**
 * Collects which layers are looked at, and which output counts.
 *
 * @param <B> the builder itself
 */
public abstract sealed class LayersBuilder<B extends LayersBuilder<B>> extends TargetBuilder<B>
        permits OptionsBuilder, Check.Builder {
    private List<String> layers = List.of();

    LayersBuilder() {}

    /**
     * Sets the layers.
     *
     * @param names {@code name} for all calls of a layer, {@code name@call} for one; a model also takes the module that
     *     produces z ({@code fc1}) and a container whose output is the activation's
     * @return this
     */
    public B layers(String... names) {
        return layers(Arrays.asList(names));
    }

    /**
     * Sets the layers.
     *
     * @param names as for {@link #layers(String...)}
     * @return this
     */
    public B layers(Collection<String> names) {
        layers = List.copyOf(names);
        return self();
    }

    @Override
    void write(OptionsWriter options) {
        super.write(options);
        options.addTexts("layers", layers);
    }
}
