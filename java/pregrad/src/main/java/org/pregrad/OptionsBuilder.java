package org.pregrad;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.pregrad.internal.Text;

/**
 * Collects what to compute; the defaults are those of the command.
 *
 * @param <B> the builder itself
 */
public abstract sealed class OptionsBuilder<B extends OptionsBuilder<B>> permits Attribution.Builder, Probe.Builder {
    private List<String> layers = List.of();
    private List<Method> methods = List.of(Method.GRADIENT);
    private Target target = Target.label();
    private Output output = Output.LOGIT;

    OptionsBuilder() {}

    abstract B self();

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
     * Sets which output is taken per sample, by default {@link Target#label()}.
     *
     * @param value the target
     * @return this
     */
    public B target(Target value) {
        target = Objects.requireNonNull(value, "target");
        return self();
    }

    /**
     * Sets the function of the outputs that is differentiated, by default {@link Output#LOGIT}.
     *
     * @param value the function
     * @return this
     */
    public B output(Output value) {
        output = Objects.requireNonNull(value, "output");
        return self();
    }

    final byte[][] layerNames() {
        return layers.stream().map(Text::utf8).toArray(byte[][]::new);
    }

    final int[] methodNumbers() {
        return methods.stream().mapToInt(Method::ordinal).toArray();
    }

    final Target target() {
        return target;
    }

    final int outputNumber() {
        return output.ordinal();
    }
}
