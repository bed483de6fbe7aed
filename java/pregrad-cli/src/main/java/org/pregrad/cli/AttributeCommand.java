package org.pregrad.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.output.ExamplesCsv;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
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
            description = "Also write DIR/examples.csv: of each layer, call, cluster, method and neuron the K samples of"
                    + " the largest values, by their rows in the data, with the position where the value is largest."
                    + " Batches then run one at a time.")
    private Integer examples;

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
                Dataset samples = open(loaded)) {
            samples.checkBatchSize(run.batchSize());
            Scorer.Scored scored = scored(loaded, samples.samples());
            write(directory, scored, samples);
            if (!quiet.isSet()) {
                String table = TopTable.text(
                        scored.scores(), methods.get(0), wanted.aggregates().get(0));
                run.tell(spec.commandLine().getOut(), table, false);
                if (examples != null) {
                    run.tellFile(spec.commandLine().getOut(), "Examples: ", ExamplesCsv.FILE);
                }
            }
        }
        return 0;
    }

    private Dataset open(Model loaded) {
        return data.open(
                data.file(), loaded, wanted.target().needed(), paths.corruptFor(Choices.distinct(methods)));
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

    private void write(OutputDirectory directory, Scorer.Scored scored, Dataset samples) {
        Map<String, Object> options =
                RunOrigin.options(model, samples.read(), wanted, Choices.distinct(methods), paths, run.batchSize());
        if (examples != null) {
            options.put("examples", examples);
        }
        Summary summary = RunOrigin.of(spec.commandLine(), options, model.file(), data.file(), null, samples.samples())
                .summary(scored.scores(), wanted.aggregates());
        try (OutputTransaction transaction = directory.begin()) {
            if (examples != null) {
                transaction.write(ExamplesCsv.FILE, text -> ExamplesCsv.write(scored.examples(), text));
            }
            run.write(transaction, scored.scores(), List.of(), summary);
        }
    }
}
