package org.pregrad.cli.options;

import picocli.CommandLine.Option;

/** How many samples run at once. */
public final class BatchOption {
    @Option(
            names = "--batch-size",
            defaultValue = "256",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many samples run at once (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    public int size() {
        return batchSize;
    }
}
