package org.pregrad.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.pregrad.Aggregate;
import org.pregrad.Difference;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.Scores;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.data.LayerActivations;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.output.CurveArea;
import org.pregrad.cli.output.ExamplesCsv;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.ScoresCsv;
import org.pregrad.cli.output.SelectivityCsv;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.output.TopTable;
import org.pregrad.cli.run.Checkpoint;
import org.pregrad.cli.run.DeviceNotes;
import org.pregrad.cli.run.ReadOutput;
import org.pregrad.cli.run.Samples;
import org.pregrad.cli.run.Scorer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
                    + " mean_abs, rms, std and cancellation; DIR/summary.json says what was run on what and names the first neurons of"
                    + " each ranking. A cancellation (|mean| / mean_abs) near 0 means that the cluster's samples disagree in"
                    + " sign. The neurons' scores by integrated-gradients or conductance add up to a difference of"
                    + " outputs; the summary says how nearly (completeness_error). DIR/report.html shows all of it as a page that opens without"
                    + " a network.",
            "",
            "Examples:",
            "  pregrad attribute --model cnn.pt --data digits.npz --layer relu@1 --out DIR",
            "  pregrad attribute --model cnn.pt --data digits.npz --layer relu conv1 \\",
            "      --method gradient,gradient-x-activation --target predicted --out DIR",
            "  pregrad attribute --model cnn.pt --data digits.npz --layer relu \\",
            "      --method integrated-gradients --baseline mean --steps 100 --out DIR"
        })
final class AttributeCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Mixin
    private SampleOptions data;

    @Mixin
    private ScoreOptions wanted;

    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            defaultValue = "gradient",
            paramLabel = "METHOD",
            description =
                    "What is computed per sample and neuron: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). May"
                            + " be repeated.")
    private List<Method> methods;

    @Option(
            names = "--examples",
            paramLabel = "K",
            converter = Choices.Positive.class,
            description =
                    "Also write DIR/examples.csv: of each layer, call, cluster, method and neuron the K samples of"
                            + " the largest values, by their rows in the data, with the position where the value is largest."
                            + " Batches then run one at a time.")
    private Integer examples;

    @Option(names = "--standard-errors", description = "Give scores.csv a column with the standard error of the mean.")
    private boolean standardErrors;

    @Option(
            names = "--against",
            paramLabel = "CLUSTER",
            description = "Compare every other cluster with this one: scores.csv gets the columns difference (of the"
                    + " first --aggregate that is mean or mean_abs), low and high (its 95% confidence interval) and q"
                    + " (the false discovery rate over the neurons of a layer call, method and cluster).")
    private String against;

    @Option(
            names = "--selectivity",
            description =
                    "Write DIR/selectivity.csv: for each cluster and neuron the area under the ROC curve of its mean"
                            + " activation, the cluster's samples against all others, and the entropy of its activation over the"
                            + " clusters. Exact, by ranks, and so with the activations of all samples in memory, 16 bytes each.")
    private boolean selectivity;

    @Mixin
    private PathOptions paths;

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
        OutputDirectory directory = run.directory(false);
        if (examples != null) {
            run.checkOneAtATime();
            directory.checkWritable(ExamplesCsv.FILE);
        }
        try (Model loaded = model.load();
                Dataset samples = openWithClusters(loaded)) {
            samples.checkBatchSize(run.batchSize());
            Aggregate compared = compared();
            Long other = against == null ? null : data.cluster("--against", against, samples);
            Scorer.Scored scored = scored(loaded, samples.samples());
            Scores scores = scored.scores();
            List<LayerActivations> activations = selectivity ? activations(loaded) : null;
            List<Difference> differences =
                    other == null ? null : scores.differences(other, compared, CurveArea.CONFIDENCE);
            write(
                    directory,
                    scored,
                    samples,
                    new ScoresCsv.Extras(standardErrors, differences, data.clusterNames()),
                    activations);
            if (!quiet.isSet()) {
                String table = TopTable.text(
                        scores, methods.get(0), wanted.aggregates().get(0), data.clusterNames());
                String more = differences == null
                        ? ""
                        : TopTable.differences(differences, methods.get(0), data.clusterNames());
                run.tell(spec.commandLine().getOut(), table + more, false);
                if (examples != null) {
                    run.tellFile(spec.commandLine().getOut(), "Examples: ", ExamplesCsv.FILE);
                }
            }
        }
        return 0;
    }

    /** The aggregate whose differences are told. */
    private Aggregate compared() {
        return wanted.aggregates().stream()
                .filter(aggregate -> aggregate == Aggregate.MEAN || aggregate == Aggregate.MEAN_ABS)
                .findFirst()
                .orElseGet(() -> {
                    if (against != null) {
                        throw new UserException("--against compares mean or mean_abs, whose standard error is known;"
                                + " give --aggregate one of them");
                    }
                    return Aggregate.MEAN;
                });
    }

    private Dataset openWithClusters(Model loaded) throws IOException {
        data.find(loaded, wanted.target(), run.batchSize(), paths.seed(), List.of(data.file()));
        return open(loaded);
    }

    private List<LayerActivations> activations(Model loaded) throws IOException {
        try (Dataset samples = open(loaded)) {
            return LayerActivations.of(
                    wanted.layers(), wanted.target().applyTo(loaded.attribution()), samples, run.batchSize());
        }
    }

    private Dataset open(Model loaded) {
        return data.open(data.file(), loaded, wanted.target().needed(), paths.corruptFor(Choices.distinct(methods)));
    }

    private Scorer.Scored scored(Model loaded, long count) throws IOException, InterruptedException {
        ReadOutput.checkLabels(loaded, () -> open(loaded), run.batchSize(), wanted.target());
        DeviceNotes notes = new DeviceNotes(quiet::hint);
        Samples passes = examples == null
                ? run.samples(() -> open(loaded), model.device(), notes)
                : run.samplesInOrder(() -> open(loaded), notes);
        Scorer.Wanted scored =
                new Scorer.Wanted(wanted.layers(), wanted.target(), wanted.positions(), wanted.cudaGraphs());
        return new Scorer(loaded, scored, paths, Choices.distinct(methods), passes)
                .keeping(examples == null ? 0 : examples)
                .score("Attributing", count, quiet.isSet(), name -> Checkpoint.NONE);
    }

    private void write(
            OutputDirectory directory,
            Scorer.Scored scored,
            Dataset samples,
            ScoresCsv.Extras extras,
            List<LayerActivations> activations) {
        Map<String, Object> options =
                RunOrigin.options(model, samples.read(), wanted, Choices.distinct(methods), paths, run.batchSize());
        if (examples != null) {
            options.put("examples", examples);
        }
        if (against != null) {
            options.put("against", against);
            options.put("compared", compared().id());
        }
        Summary summary = RunOrigin.of(spec.commandLine(), options, model.file(), data.file(), null, samples.samples())
                .summary(scored.scores(), wanted.aggregates());
        try (OutputTransaction transaction = directory.begin()) {
            if (examples != null) {
                transaction.write(ExamplesCsv.FILE, text -> ExamplesCsv.write(scored.examples(), text));
            }
            if (activations != null) {
                transaction.write(SelectivityCsv.FILE, to -> {
                    SelectivityCsv.writeHeader(to);
                    for (LayerActivations each : activations) {
                        SelectivityCsv.write(each, data.clusterNames(), to);
                    }
                });
            }
            run.writeClusters(transaction, data.assigned(data.file()));
            run.write(transaction, scored.scores(), List.of(), summary, extras);
        }
    }
}
