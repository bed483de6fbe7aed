package org.pregrad.cli.options;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What every command has: help, the look of it, and what its exit codes mean. */
@Command(
        synopsisHeading = "Usage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:a failure of PreGrad itself; --debug shows where",
            "2:bad usage, bad input or a full disk: one line on stderr says what is wrong and how to mend it",
            "130:interrupted by Ctrl-C; nothing is left half-written",
            "141:whoever reads standard output has gone"
        },
        sortOptions = false,
        usageHelpAutoWidth = true,
        abbreviateSynopsis = true)
public final class StandardOptions {
    // picocli acts on it by itself.
    @SuppressWarnings("UnusedVariable")
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    private boolean help;

    // Main looks for it before anything is parsed, so that failures to parse show their trace too.
    @SuppressWarnings("UnusedVariable")
    @Option(names = "--debug", hidden = true, description = "Show the stack trace of a failure.")
    private boolean debug;
}
