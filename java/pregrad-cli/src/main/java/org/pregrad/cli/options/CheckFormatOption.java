package org.pregrad.cli.options;

import org.pregrad.cli.output.CheckReport;
import picocli.CommandLine.Option;

/** How the results of a check are printed. */
public final class CheckFormatOption {
    @Option(
            names = "--format",
            defaultValue = "table",
            paramLabel = "FORMAT",
            completionCandidates = Candidates.CheckFormats.class,
            converter = Converters.ToCheckFormat.class,
            description = "How the results are printed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private CheckReport.Format format;

    public CheckReport.Format format() {
        return format;
    }
}
