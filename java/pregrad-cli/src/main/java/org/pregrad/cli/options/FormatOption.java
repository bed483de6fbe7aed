package org.pregrad.cli.options;

import org.pregrad.cli.output.LayerList;
import picocli.CommandLine.Option;

/** How a listing is printed. */
public final class FormatOption {
    @Option(
            names = "--format",
            defaultValue = "table",
            paramLabel = "FORMAT",
            completionCandidates = Candidates.Formats.class,
            converter = Converters.ToFormat.class,
            description = "How the layers are printed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private LayerList.Format format;

    public LayerList.Format format() {
        return format;
    }
}
