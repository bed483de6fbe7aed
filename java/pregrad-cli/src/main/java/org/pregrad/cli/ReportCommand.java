package org.pregrad.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.pregrad.Escapes;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.Choices;
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
        customSynopsis = {"pregrad report --from DIR [--data D.npz] [OPTIONS]"},
        description = "Draw the page of a run, or of a part of it, again: DIR/report.html.",
        footer = {
            "The page is drawn from DIR/scores.csv, DIR/summary.json and, where they are, DIR/curves.csv and"
                    + " DIR/examples.csv alone. It is one file that opens without a network, and the same files give the"
                    + " same bytes. Of large runs it shows a part, and says so; --layer, --cluster and --method draw a"
                    + " part in full.",
            "",
            "With --data, the examples are shown as pictures, [N, C, H, W] with 1 or 3 channels or [N, H, W]; as words,"
                    + " where vocab.txt beside D.npz has one per line; else as numbers.",
            "",
            "Examples:",
            "  pregrad report --from DIR",
            "  pregrad report --from DIR --data digits.npz",
            "  pregrad report --from DIR --layer relu@1 --cluster 3 17 --method gradient"
        })
final class ReportCommand implements Callable<Integer> {
    private static final long BYTES_PER_MB = 1_000_000;

    /** The charting library alone takes one. */
    private static final int LEAST_MB = 2;

    @Option(
            names = "--from",
            required = true,
            paramLabel = "DIR",
            description = "The --out directory of pregrad attribute or ablate.")
    private Path from;

    @Option(
            names = "--data",
            paramLabel = "D.npz",
            description = "The data that was scored, to show the samples of DIR/examples.csv.")
    private Path data;

    @Option(
            names = "--layer",
            arity = "1..*",
            paramLabel = "NAME[@CALL]",
            description = "Draw these layers alone. May be repeated.")
    private List<String> layers = List.of();

    @Option(
            names = "--cluster",
            arity = "1..*",
            paramLabel = "CLUSTER",
            description = "Draw these clusters alone. May be repeated.")
    private List<String> clusters = List.of();

    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            paramLabel = "METHOD",
            description = "Draw these methods alone. May be repeated.")
    private List<String> methods = List.of();

    @Option(
            names = "--page-limit",
            paramLabel = "MB",
            converter = Choices.Positive.class,
            description =
                    "How large the page may be, in MB of 1,000,000 bytes, at least 2 (default: 3, or 9 where there are"
                            + " removal curves).")
    private Integer pageLimit;

    @Mixin
    private QuietOption quiet;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (pageLimit != null && pageLimit < LEAST_MB) {
            throw new UserException(
                    "--page-limit " + pageLimit + " is too small for any page; give at least " + LEAST_MB + ", in MB");
        }
        Report report = Report.read(
                new DirectoryFiles(from),
                new Report.Part(names(layers), names(clusters), names(methods)),
                pageLimit == null ? Report.USUAL : pageLimit * BYTES_PER_MB,
                data);
        OutputDirectory directory = new OutputDirectory(from, "--from");
        directory.checkWritable(Report.FILE);
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write(Report.FILE, report::write);
            transaction.commit();
        }
        if (!quiet.isSet()) {
            PrintWriter to = spec.commandLine().getOut();
            to.println("Report:  " + Escapes.visible(from.resolve(Report.FILE).toString()));
            Report.tellLeftOut(report.leftOut(), to);
            to.flush();
        }
        return 0;
    }

    /** As they are printed. */
    private static List<String> names(List<String> given) {
        return given.stream().map(Escapes::unescaped).toList();
    }
}
