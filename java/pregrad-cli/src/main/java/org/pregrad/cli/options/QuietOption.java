package org.pregrad.cli.options;

import picocli.CommandLine.Option;

/** Whether a command says more than it must. */
public final class QuietOption {
    @Option(names = "--quiet", description = "Print no progress, no summary and no hints.")
    private boolean quiet;

    public boolean isSet() {
        return quiet;
    }
}
