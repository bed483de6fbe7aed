package org.pregrad.cli;

import java.util.List;
import java.util.Map;
import org.pregrad.Scores;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.output.FileDigest;
import org.pregrad.cli.output.Summary;
import picocli.CommandLine;

/** What {@code attribute} writes into its summary. */
final class AttributeSummary {
    private AttributeSummary() {}

    static Summary of(
            CommandLine command,
            Map<String, Object> options,
            ModelOptions model,
            SampleOptions data,
            ScoreOptions wanted,
            Dataset samples,
            Scores scores) {
        List<String> arguments = ShellWords.arguments(command);
        return new Summary(
                Versions.byName(),
                ShellWords.line("pregrad", arguments),
                arguments,
                options,
                FileDigest.of(model.file()),
                FileDigest.of(data.file()),
                samples.samples(),
                Summary.entries(scores, wanted.aggregates()));
    }
}
