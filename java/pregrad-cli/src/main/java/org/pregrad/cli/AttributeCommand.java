package org.pregrad.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.pregrad.Attribution;
import org.pregrad.InputException;
import org.pregrad.Model;
import org.pregrad.Scores;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.data.BatchInput;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.data.ReadAhead;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.OutputDirectoryOption;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.output.TopTable;
import org.pregrad.cli.progress.Progress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code pregrad attribute}. */
@Command(
        name = "attribute",
        customSynopsis = {
            "pregrad attribute --model M.pt --data D.npz --layer NAME[@CALL]...",
            "                         [--method METHOD...] --out DIR [OPTIONS]"
        },
        description = "Score the neurons of one or more layers for each cluster of samples.",
        footer = {
            "DIR/scores.csv has one row per layer, call, cluster, method and neuron with the columns count, mean,"
                    + " mean_abs, rms and std; DIR/summary.json says what was run on what and names the first neurons of"
                    + " each ranking. A mean near 0 beside a large mean_abs means that the cluster's samples disagree in"
                    + " sign.",
            "",
            "Examples:",
            "  pregrad attribute --model cnn.pt --data digits.npz --layer relu@1 --out DIR",
            "  pregrad attribute --model cnn.pt --data digits.npz --layer relu conv1 \\",
            "      --method gradient,gradient-x-activation --target predicted --out DIR"
        })
final class AttributeCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Mixin
    private SampleOptions data;

    @Mixin
    private ScoreOptions wanted;

    @Mixin
    private OutputDirectoryOption out;

    @Mixin
    private BatchOption batch;

    @Mixin
    private QuietOption quiet;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        OutputDirectory directory = out.directory();
        directory.checkWritable(ScoresCsv.FILE, Summary.FILE);
        try (Dataset samples = data.open(wanted.needsLabels())) {
            samples.checkBatchSize(batch.size());
            Scores scores = scores(samples);
            write(directory, scores, samples);
            report(directory, scores);
        }
        return 0;
    }

    private Scores scores(Dataset samples) throws InterruptedException {
        try (Model loaded = model.load();
                Attribution attribution = open(loaded);
                ReadAhead batches = new ReadAhead(samples, batch.size());
                Progress progress = Progress.start("Attributing", samples.samples(), quiet.isSet())) {
            for (Batch next = batches.next(); next != null; next = batches.next()) {
                add(attribution, next);
                progress.add(next.samples());
            }
            return attribution.scores();
        }
    }

    private Attribution open(Model loaded) {
        return loaded.attribution()
                .layers(wanted.layers())
                .methods(wanted.methods())
                .target(wanted.target())
                .output(wanted.output())
                .open();
    }

    private void add(Attribution attribution, Batch next) {
        try {
            attribution.add(BatchInput.of(next), next.labels(), next.clusters());
        } catch (InputException e) {
            // The core counts samples from the batch's start.
            throw next.first() == 0
                    ? e
                    : new UserException(e.getMessage() + " (counted from sample " + next.first() + ")", e);
        }
    }

    private void write(OutputDirectory directory, Scores scores, Dataset samples) {
        Summary summary = AttributeSummary.of(spec.commandLine(), model, data, wanted, batch, samples, scores);
        try (OutputTransaction transaction = directory.begin()) {
            transaction.write(ScoresCsv.FILE, to -> ScoresCsv.write(scores, to));
            transaction.write(Summary.FILE, summary::write);
            transaction.commit();
        }
    }

    private void report(OutputDirectory directory, Scores scores) {
        if (quiet.isSet()) {
            return;
        }
        PrintWriter to = spec.commandLine().getOut();
        to.print(TopTable.text(
                scores, wanted.methods().get(0), wanted.aggregates().get(0)));
        to.println("Scores:  " + directory.given().resolve(ScoresCsv.FILE));
        to.println("Summary: " + directory.given().resolve(Summary.FILE));
        to.flush();
    }
}
