package org.pregrad.cli.options;

import picocli.CommandLine.Option;

/** How much of a layer is checked. */
public final class CheckSizeOptions {
    @Option(
            names = "--samples",
            defaultValue = "64",
            paramLabel = "N",
            converter = Converters.ToPositive.class,
            description = "How many samples are checked, the first of the data (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Option(
            names = "--neurons",
            defaultValue = "128",
            paramLabel = "N",
            converter = Converters.ToPositive.class,
            description = "How many neurons of a layer are checked at most, evenly spaced (default:"
                    + " ${DEFAULT-VALUE}); each takes two runs of the model behind the layer.")
    private int neurons;

    public int samples() {
        return samples;
    }

    public int neurons() {
        return neurons;
    }
}
