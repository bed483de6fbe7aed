package org.pregrad.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.pregrad.CancelledException;
import org.pregrad.DeviceException;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.Positions;
import org.pregrad.Removal;
import org.pregrad.cli.data.ArrayNames.Labels;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.ErrorLine;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.options.TargetOptions.Needed;
import org.pregrad.cli.output.CurveTable;
import org.pregrad.cli.output.CurvesCsv;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputFailure;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.Sanity;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.output.StateFile;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.output.UnfinishedRun;
import org.pregrad.cli.run.DeviceNotes;
import org.pregrad.cli.run.ReadOutput;
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

    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            paramLabel = "METHOD",
            description = "Whose orders of removal are measured: ${COMPLETION-CANDIDATES} (default: gradient,"
                    + "gradient-x-activation,activation, and gradient-x-centred-activation with --removal mean). May be"
                    + " repeated; ablation, the oracle, and random are always measured too.")
    private List<Method> methods;

    @Mixin
    private PathOptions paths;

    @Option(
            names = "--repeats",
            defaultValue = "20",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many random orders are measured for each cluster (default: ${DEFAULT-VALUE}).")
    private int repeats;

    @Option(
            names = "--keep",
            description = "Also keep the neurons of each score's order and remove the others: are the first enough? A"
                    + " higher area is better there. DIR/curves.csv then has a column that tells both apart.")
    private boolean keep;

    @Option(
            names = "--sanity",
            description =
                    "Also score the model with the elements of each weight shuffled by --seed: a ranking that says"
                            + " something of what was learned must not stay. DIR/summary.json has the verdicts.")
    private boolean sanity;

    @Mixin
    private RunMixin run;

    @Mixin
    private QuietOption quiet;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (wanted.positions() == Positions.EACH) {
            throw new UserException(
                    "--positions each has no removal curves, since a neuron is removed at all its positions"
                            + " together; leave it out, or score each position with pregrad attribute");
        }
        OutputDirectory directory = run.directory(true);
        try (Model loaded = model.load()) {
            Needed needed = needed(loaded);
            data.find(
                    loaded,
                    wanted.target(),
                    run.batchSize(),
                    paths.seed(),
                    scoreData == null ? List.of(data.file()) : List.of(scoreData, data.file()));
            try (Dataset tested = data.open(loaded, needed);
                    Dataset scored = openScored(loaded)) {
                tested.checkBatchSize(run.batchSize());
                scored.checkBatchSize(run.batchSize());
                Set<Long> clusters = tested.clusterSizes().keySet();
                checkClusters(clusters, scored.clusterSizes().keySet());
                ReadOutput.checkLabels(loaded, () -> data.open(loaded, needed), run.batchSize(), wanted.target());
                DeviceNotes notes = new DeviceNotes(quiet::hint);
                Scorer scorer = new Scorer(
                        loaded,
                        new Scorer.Wanted(wanted.layers(), wanted.target(), wanted.positions(), wanted.cudaGraphs()),
                        paths,
                        scoredMethods(),
                        run.samples(() -> openScored(loaded), model.device(), notes));
                // What is wrong with layers or inputs shows here, before another command's unfinished run is given up.
                scorer.calls();
                AblationRun work = new AblationRun(
                        loaded,
                        scorer,
                        run.samples(() -> data.open(loaded, needed), model.device(), notes),
                        new AblationRun.Wanted(
                                wanted, paths, comparedMethods(), keep, sanity, repeats, Set.copyOf(clusters)),
                        new AblationRun.Work(scored.samples(), tested.samples()),
                        quiet.isSet());
                AblationRun.Results results = finish(directory, work, origin(tested));
                if (!quiet.isSet()) {
                    String table = CurveTable.text(results.areas(), data.clusterNames());
                    String verdicts = results.sanity() == null ? "" : Sanity.table(results.sanity());
                    run.tell(spec.commandLine().getOut(), table + verdicts, true);
                }
            }
        }
        return 0;
    }

    /** What is needed of the tested samples: labels too, unless there is no accuracy or the target has taken their place. */
    private Needed needed(Model loaded) throws IOException {
        Needed needed = wanted.target().needed();
        return switch (needed.labels()) {
            case TARGETS, TRUTH -> needed.with(Labels.TRUTH);
            case WEIGHTS -> needed;
            case UNUSED -> {
                ReadOutput output = ReadOutput.of(
                        loaded,
                        () -> data.open(loaded, needed),
                        run.batchSize(),
                        wanted.target().outputName());
                yield output.isOneClass(wanted.target().classAxis()) ? needed : needed.with(Labels.TRUTH);
            }
        };
    }

    private Dataset openScored(Model loaded) {
        return data.open(
                scoreData == null ? data.file() : scoreData,
                loaded,
                wanted.target().needed(),
                paths.corruptFor(scoredMethods()));
    }

    private List<Method> comparedMethods() {
        List<Method> compared = new ArrayList<>(methods == null ? defaultMethods() : Choices.distinct(methods));
        compared.removeIf(one -> one == Method.RANDOM || one == Method.ABLATION);
        compared.add(Method.ABLATION);
        return compared;
    }

    private List<Method> defaultMethods() {
        return paths.removal() == Removal.MEAN
                ? List.of(
                        Method.GRADIENT,
                        Method.GRADIENT_X_ACTIVATION,
                        Method.GRADIENT_X_CENTRED_ACTIVATION,
                        Method.ACTIVATION)
                : List.of(Method.GRADIENT, Method.GRADIENT_X_ACTIVATION, Method.ACTIVATION);
    }

    private List<Method> scoredMethods() {
        List<Method> scored = comparedMethods();
        scored.add(Method.RANDOM);
        return scored;
    }

    private void checkClusters(Set<Long> tested, Set<Long> scored) {
        Set<Long> missing = new TreeSet<>(tested);
        missing.removeAll(scored);
        if (!missing.isEmpty()) {
            throw new UserException("data file " + data.file() + " has samples of cluster "
                    + data.clusterNames().name(missing.iterator().next()) + ", which the score data " + scoreData
                    + " has not; give score data with samples of every cluster");
        }
    }

    private AblationRun.Results finish(OutputDirectory directory, AblationRun work, RunOrigin origin)
            throws IOException, InterruptedException {
        try (UnfinishedRun unfinished = UnfinishedRun.open(directory, origin.key(), quiet::hint)) {
            try {
                AblationRun.Results results = results(work, unfinished);
                write(
                        directory,
                        unfinished,
                        results,
                        new Summary.OfAblation(
                                origin.summary(results.scores(), wanted.aggregates()),
                                origin.scoreData(),
                                results.areas(),
                                results.sanity()));
                unfinished.discard();
                return results;
            } catch (RuntimeException e) {
                // With other inputs nothing of this serves; after a full disk, a lost device or a failure of our own,
                // all of it may.
                if (ErrorLine.isMendable(e)
                        && !(e instanceof OutputFailure
                                || e instanceof DeviceException
                                || e instanceof CancelledException)) {
                    unfinished.discard();
                }
                throw e;
            }
        }
    }

    private RunOrigin origin(Dataset tested) {
        Map<String, Object> options =
                RunOrigin.options(model, tested.read(), wanted, scoredMethods(), paths, run.batchSize());
        options.put("repeats", repeats);
        if (keep) {
            options.put("keep", true);
        }
        if (sanity) {
            options.put("sanity", true);
        }
        return RunOrigin.of(spec.commandLine(), options, model.file(), data.file(), scoreData, tested.samples());
    }

    private AblationRun.Results results(AblationRun work, UnfinishedRun unfinished)
            throws IOException, InterruptedException {
        try {
            return work.results(unfinished);
        } catch (StateFile.Damaged e) {
            quiet.hint(e.getMessage() + "; starting anew");
            unfinished.reset();
            return work.results(unfinished);
        }
    }

    private void write(
            OutputDirectory directory,
            UnfinishedRun unfinished,
            AblationRun.Results results,
            Summary.OfAblation summary) {
        try (OutputTransaction transaction = directory.begin(unfinished)) {
            run.writeClusters(transaction, data.assigned(data.file()));
            transaction.write(CurvesCsv.FILE, to -> CurvesCsv.write(results.curves(), data.clusterNames(), to));
            run.write(
                    transaction,
                    results.scores(),
                    results.curves(),
                    summary,
                    new ScoresCsv.Extras(false, null, data.clusterNames()));
        }
    }
}
