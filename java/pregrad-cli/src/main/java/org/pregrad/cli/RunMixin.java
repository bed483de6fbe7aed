package org.pregrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.pregrad.Device;
import org.pregrad.Escapes;
import org.pregrad.RemovalCurve;
import org.pregrad.Scores;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.output.ClustersCsv;
import org.pregrad.cli.output.CurvesCsv;
import org.pregrad.cli.output.Json;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.report.Report;
import org.pregrad.cli.run.DeviceNotes;
import org.pregrad.cli.run.Samples;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What {@code attribute} and {@code ablate} have in common: how samples go through the model, and the files of a run. */
final class RunMixin {
    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "The directory for the results; created if missing. Its files appear whole or not at all.")
    private Path directory;

    @Option(names = "--no-report", description = "Do not write DIR/report.html.")
    private boolean noReport;

    @Mixin
    private BatchOption batch;

    /** What of the run its page does not show. */
    private List<String> leftOut = List.of();

    @Option(
            names = "--batches-at-once",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description =
                    "How many batches run at once, each with memory and --threads of its own (default: 2 on a CUDA"
                            + " device, where one goes up while the other computes, else 1). The scores are the same.")
    private Integer batchesAtOnce;

    /**
     * Where the results go, which is known to take them.
     *
     * @param curves whether there will be removal curves
     */
    OutputDirectory directory(boolean curves) {
        OutputDirectory out = new OutputDirectory(directory);
        if (curves) {
            out.checkWritable(ScoresCsv.FILE, CurvesCsv.FILE, Summary.FILE, Report.FILE);
        } else {
            out.checkWritable(ScoresCsv.FILE, Summary.FILE, Report.FILE);
        }
        return out;
    }

    int batchSize() {
        return batch.size();
    }

    /** The samples of a source as they run on a device. */
    Samples samples(Supplier<Dataset> source, Device device, DeviceNotes notes) {
        return new Samples(source, batch.size(), atOnce(device), notes);
    }

    /** The same, one batch at a time: samples are numbered as their batches are counted. */
    Samples samplesInOrder(Supplier<Dataset> source, DeviceNotes notes) {
        return new Samples(source, batch.size(), 1, notes);
    }

    /**
     * Writes the files that every run leaves, and makes all appear.
     *
     * @param curves  of the report; empty if no neurons were removed
     * @param summary a {@link Summary}, or that of an ablation
     * @param extras  of the scores
     */
    void write(
            OutputTransaction to, Scores scores, List<RemovalCurve> curves, Record summary, ScoresCsv.Extras extras) {
        to.write(ScoresCsv.FILE, text -> ScoresCsv.write(scores, extras, text));
        JsonNode told = Summary.named(Json.tree(summary), extras.clusters());
        to.write(Summary.FILE, text -> Json.write(told, text));
        if (!noReport) {
            Report report = Report.of(
                    told,
                    scores,
                    curves,
                    extras.clusters(),
                    extras.differences() == null ? null : to.written(ScoresCsv.FILE),
                    to.written(Report.EXAMPLES));
            to.write(Report.FILE, report::write);
            leftOut = report.leftOut();
        }
        to.commit();
    }

    /** Writes the clusters that were found; null if they were not. */
    void writeClusters(OutputTransaction to, long[] found) {
        if (found != null) {
            to.write(ClustersCsv.FILE, text -> ClustersCsv.write(found, text));
        }
    }

    /** Prints a table of the results, and where the files are. */
    void tell(PrintWriter to, String table, boolean curves) {
        to.print(table);
        to.println("Scores:  " + shown(ScoresCsv.FILE));
        if (curves) {
            to.println("Curves:  " + shown(CurvesCsv.FILE));
        }
        to.println("Summary: " + shown(Summary.FILE));
        if (!noReport) {
            to.println("Report:  " + shown(Report.FILE));
            Report.tellLeftOut(leftOut, to);
        }
        to.flush();
    }

    /** Prints where one more file is. */
    void tellFile(PrintWriter to, String what, String file) {
        to.println(what + shown(file));
        to.flush();
    }

    /** Refuses several batches at once, whose order nobody knows. */
    void checkOneAtATime() {
        if (batchesAtOnce != null && batchesAtOnce > 1) {
            throw new UserException(
                    "--examples numbers samples in the order of their batches, so that --batches-at-once "
                            + batchesAtOnce + " cannot be: leave it out");
        }
    }

    private String shown(String file) {
        return Escapes.visible(directory.resolve(file).toString());
    }

    private int atOnce(Device device) {
        if (batchesAtOnce != null) {
            return batchesAtOnce;
        }
        return device.equals(Device.cpu()) ? 1 : 2;
    }
}
