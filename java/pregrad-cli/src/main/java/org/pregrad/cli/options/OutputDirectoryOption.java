package org.pregrad.cli.options;

import java.nio.file.Path;
import org.pregrad.cli.output.OutputDirectory;
import picocli.CommandLine.Option;

/** Where results go. */
public final class OutputDirectoryOption {
    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "The directory for the results; created if missing. Its files appear whole or not at all.")
    private Path directory;

    public OutputDirectory directory() {
        return new OutputDirectory(directory);
    }
}
