package org.pregrad;

import java.util.Objects;
import org.pregrad.internal.OptionsWriter;

/**
 * Collects which output of the model counts; the defaults are those of the command.
 *
 * @param <B> the builder itself
 */
public abstract sealed class TargetBuilder<B extends TargetBuilder<B>> permits LayersBuilder, Ablation.Builder {
    private Target target = Target.label();
    private Output output = Output.LOGIT;

    TargetBuilder() {}

    abstract B self();

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
     * Sets the function of the outputs whose component is taken, by default {@link Output#LOGIT}.
     *
     * @param value the function
     * @return this
     */
    public B output(Output value) {
        output = Objects.requireNonNull(value, "output");
        return self();
    }

    /** Packs the options by the names under which native code looks for them. */
    void write(OptionsWriter options) {
        options.add("target", target.toString());
        options.add("output", output.id());
    }

    final byte[] packed() {
        OptionsWriter options = new OptionsWriter();
        write(options);
        return options.bytes();
    }
}
