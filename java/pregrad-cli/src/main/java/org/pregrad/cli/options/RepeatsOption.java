package org.pregrad.cli.options;

import picocli.CommandLine.Option;

/** How many orders chance draws. */
public final class RepeatsOption {
    @Option(
            names = "--repeats",
            defaultValue = "20",
            paramLabel = "N",
            converter = Converters.ToPositive.class,
            description = "How many random orders are measured for each cluster (default: ${DEFAULT-VALUE}).")
    private int repeats;

    public int number() {
        return repeats;
    }
}
