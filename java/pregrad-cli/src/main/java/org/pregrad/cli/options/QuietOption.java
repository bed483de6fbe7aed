package org.pregrad.cli.options;

import org.pregrad.cli.errors.ErrorLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Whether a command says more than it must. */
public final class QuietOption {
    @Option(names = "--quiet", description = "Print no progress, no summary and no hints.")
    private boolean quiet;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    public boolean isSet() {
        return quiet;
    }

    /** Prints the message as one line to the command's stderr, unless hints are not wanted. */
    public void hint(String message) {
        if (!quiet) {
            ErrorLine.print(message, command.commandLine().getErr());
        }
    }
}
