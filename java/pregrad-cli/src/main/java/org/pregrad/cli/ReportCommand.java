package org.pregrad.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.pregrad.Escapes;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.report.DirectoryFiles;
import org.pregrad.cli.report.Report;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pregrad report}. */
@Command(
        name = "report",
        customSynopsis = {"pregrad report --from DIR [OPTIONS]"},
        description = "Draw the page of a run again: DIR/report.html.",
        footer = {
            "The page is drawn from DIR/scores.csv, DIR/summary.json and, of pregrad ablate, DIR/curves.csv alone. It"
                    + " is one file that opens without a network, and the same files give the same bytes. Of large"
                    + " runs it shows a part, and says so.",
            "",
            "Examples:",
            "  pregrad report --from DIR"
        })
final class ReportCommand implements Callable<Integer> {
    @Option(
            names = "--from",
            required = true,
            paramLabel = "DIR",
            description = "The --out directory of pregrad attribute or ablate.")
    private Path from;

    @Mixin
    private QuietOption quiet;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Report report = Report.read(new DirectoryFiles(from));
        OutputDirectory directory = new OutputDirectory(from, "--from");
        directory.checkWritable(Report.FILE);
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write(Report.FILE, report::write);
            transaction.commit();
        }
        if (!quiet.isSet()) {
            PrintWriter to = spec.commandLine().getOut();
            to.println("Report:  " + Escapes.visible(from.resolve(Report.FILE).toString()));
            to.flush();
        }
        return 0;
    }
}
