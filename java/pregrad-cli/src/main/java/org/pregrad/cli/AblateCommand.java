package org.pregrad.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.pregrad.DeviceException;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.cli.data.BatchInput;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.ErrorLine;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.BatchesAtOnceOption;
import org.pregrad.cli.options.ComparedMethodsOption;
import org.pregrad.cli.options.DataOptions.Labels;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.OutputDirectoryOption;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.RepeatsOption;
import org.pregrad.cli.options.ReportOption;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.output.AblationSummary;
import org.pregrad.cli.output.CurveTable;
import org.pregrad.cli.output.CurvesCsv;
import org.pregrad.cli.output.DamagedStateException;
import org.pregrad.cli.output.FileDigest;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputFailure;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.output.UnfinishedRun;
import org.pregrad.cli.report.Report;
import org.pregrad.cli.run.DeviceNotes;
import org.pregrad.cli.run.Samples;
import org.pregrad.cli.run.Scorer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pregrad ablate}. */
@Command(
        name = "ablate",
        customSynopsis = {
            "pregrad ablate --model M.pt --data D.npz --layer NAME[@CALL]...",
            "                      [--method METHOD...] [--score-data S.npz] --out DIR",
            "                      [OPTIONS]"
        },
        description = "Test scores: remove the neurons of a layer one after the other, the highest score first, and"
                + " watch the model.",
        footer = {
            "Each score's order of removal is compared with random orders and with that of ablation, the effect of"
                    + " removing each neuron alone (the oracle). DIR/scores.csv has the scores, DIR/curves.csv a row per"
                    + " point of each curve, and DIR/summary.json the areas under the curves: a lower one means that the"
                    + " order finds what the model needs. DIR/report.html shows all of it as a page that opens without a"
                    + " network.",
            "",
            "Scores should be made on other samples than those that test them: give --score-data. An interrupted or"
                    + " killed run goes on where it was when the same command is given again, and ends with the same"
                    + " files.",
            "",
            "Examples:",
            "  pregrad ablate --model cnn.pt --data test.npz --score-data train.npz \\",
            "      --layer relu@1 --out DIR",
            "  pregrad ablate --model cnn.pt --data digits.npz --layer relu \\",
            "      --method gradient,gradient-x-centred-activation --removal mean --out DIR"
        })
final class AblateCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Mixin
    private SampleOptions data;

    @Option(
            names = "--score-data",
            paramLabel = "S.npz",
            description = "The samples that are scored, with the same names of arrays (default: those of --data).")
    private Path scoreData;

    @Mixin
    private ScoreOptions wanted;

    @Mixin
    private ComparedMethodsOption method;

    @Mixin
    private PathOptions paths;

    @Mixin
    private RepeatsOption repeats;

    @Mixin
    private OutputDirectoryOption out;

    @Mixin
    private ReportOption page;

    @Mixin
    private BatchOption batch;

    @Mixin
    private BatchesAtOnceOption batchesAtOnce;

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
        directory.checkWritable(ScoresCsv.FILE, CurvesCsv.FILE, Summary.FILE, Report.FILE);
        try (Model loaded = model.load()) {
            Labels labels = wanted.labels() == Labels.TARGETS || outputs(loaded) > 1 ? Labels.TRUTH : Labels.UNUSED;
            try (Dataset tested = data.open(labels);
                    Dataset scored = openScored()) {
                tested.checkBatchSize(batch.size());
                scored.checkBatchSize(batch.size());
                Set<Long> clusters = tested.clusterSizes().keySet();
                checkClusters(clusters, scored.clusterSizes().keySet());
                DeviceNotes notes = new DeviceNotes(quiet::hint);
                int atOnce = batchesAtOnce.on(model.device());
                Scorer scorer = new Scorer(
                        loaded,
                        wanted,
                        paths,
                        scoredMethods(),
                        new Samples(this::openScored, batch.size(), atOnce, notes));
                // What is wrong with layers or inputs shows here, before another command's unfinished run is given up.
                scorer.calls();
                AblationRun run = new AblationRun(
                        loaded,
                        scorer,
                        new Samples(() -> data.open(labels), batch.size(), atOnce, notes),
                        new AblationRun.Wanted(
                                wanted, paths, comparedMethods(), repeats.number(), Set.copyOf(clusters)),
                        new AblationRun.Work(scored.samples(), tested.samples()),
                        quiet.isSet());
                AblationRun.Results results = finish(directory, run, origin(tested));
                report(directory, results);
            }
        }
        return 0;
    }

    /** How many outputs the model has; with one there is no accuracy, and no label is needed for it. */
    private long outputs(Model loaded) throws IOException {
        try {
            return outputs(loaded, batch.size());
        } catch (DeviceException e) {
            return outputs(loaded, 1); // there may be no memory for more
        }
    }

    private long outputs(Model loaded, int samplesAtOnce) throws IOException {
        try (Dataset samples = data.open(Labels.UNUSED)) {
            samples.checkBatchSize(batch.size());
            long[] shape =
                    loaded.forward(BatchInput.of(samples.next(samplesAtOnce))).shape();
            return shape.length < 2 ? 1 : shape[1];
        }
    }

    private Dataset openScored() {
        return data.open(scoreData == null ? data.file() : scoreData, wanted.labels());
    }

    private List<Method> comparedMethods() {
        List<Method> methods = new ArrayList<>(method.methods(paths.removal()));
        methods.removeIf(one -> one == Method.RANDOM || one == Method.ABLATION);
        methods.add(Method.ABLATION);
        return methods;
    }

    private List<Method> scoredMethods() {
        List<Method> methods = comparedMethods();
        methods.add(Method.RANDOM);
        return methods;
    }

    private void checkClusters(Set<Long> tested, Set<Long> scored) {
        Set<Long> missing = new TreeSet<>(tested);
        missing.removeAll(scored);
        if (!missing.isEmpty()) {
            throw new UserException("data file " + data.file() + " has samples of cluster "
                    + missing.iterator().next() + ", which the score data " + scoreData
                    + " has not; give score data with samples of every cluster");
        }
    }

    // The interrupt's hint works by being there.
    @SuppressWarnings("try")
    private AblationRun.Results finish(OutputDirectory directory, AblationRun run, AblationOrigin origin)
            throws IOException, InterruptedException {
        try (UnfinishedRun unfinished = UnfinishedRun.open(directory, origin.key(), quiet::hint);
                InterruptHint interrupt = new InterruptHint(
                        () -> quiet.hint("interrupted; the same command given again goes on where it was"))) {
            try {
                AblationRun.Results results = results(run, unfinished);
                write(directory, unfinished, results, origin.summary(results, wanted.aggregates()));
                unfinished.discard();
                return results;
            } catch (RuntimeException e) {
                // With other inputs nothing of this serves; after a full disk, a lost device or a failure of our own,
                // all of it may.
                if (ErrorLine.isMendable(e) && !(e instanceof OutputFailure || e instanceof DeviceException)) {
                    unfinished.discard();
                }
                throw e;
            }
        }
    }

    private AblationOrigin origin(Dataset tested) {
        Map<String, Object> options = RunOptions.of(model, tested.read(), wanted, scoredMethods(), paths, batch);
        options.put("repeats", repeats.number());
        return new AblationOrigin(
                ShellWords.arguments(spec.commandLine()),
                options,
                FileDigest.of(model.file()),
                FileDigest.of(data.file()),
                scoreData == null ? null : FileDigest.of(scoreData),
                tested.samples());
    }

    private AblationRun.Results results(AblationRun run, UnfinishedRun unfinished)
            throws IOException, InterruptedException {
        try {
            return run.results(unfinished);
        } catch (DamagedStateException e) {
            quiet.hint(e.getMessage() + "; starting anew");
            unfinished.reset();
            return run.results(unfinished);
        }
    }

    private void write(
            OutputDirectory directory, UnfinishedRun unfinished, AblationRun.Results results, AblationSummary summary) {
        try (OutputTransaction transaction = directory.begin(unfinished)) {
            transaction.write(ScoresCsv.FILE, to -> ScoresCsv.write(results.scores(), to));
            transaction.write(CurvesCsv.FILE, to -> CurvesCsv.write(results.curves(), to));
            transaction.write(Summary.FILE, summary::write);
            if (page.isWanted()) {
                Report.add(transaction);
            }
            transaction.commit();
        }
    }

    private void report(OutputDirectory directory, AblationRun.Results results) {
        if (quiet.isSet()) {
            return;
        }
        PrintWriter to = spec.commandLine().getOut();
        to.print(CurveTable.text(results.areas()));
        to.println("Scores:  " + directory.given().resolve(ScoresCsv.FILE));
        to.println("Curves:  " + directory.given().resolve(CurvesCsv.FILE));
        to.println("Summary: " + directory.given().resolve(Summary.FILE));
        if (page.isWanted()) {
            to.println("Report:  " + directory.given().resolve(Report.FILE));
        }
        to.flush();
    }
}
