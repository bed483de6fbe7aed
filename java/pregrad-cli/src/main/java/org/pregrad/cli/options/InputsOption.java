package org.pregrad.cli.options;

import picocli.CommandLine.Option;

/** Which array of the data is the model's input. */
public final class InputsOption {
    public static final String DEFAULT = "x";

    @Option(
            names = "--inputs",
            paramLabel = "NAME",
            description = "The array of inputs in the data, samples first (default: " + DEFAULT + ").")
    private String inputs;

    /** The array's name. */
    public String name() {
        return inputs == null ? DEFAULT : inputs;
    }

    /** Whether the user named it. */
    public boolean given() {
        return inputs != null;
    }
}
