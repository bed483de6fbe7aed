package org.pregrad.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.pregrad.Aggregate;
import org.pregrad.Attribution;
import org.pregrad.Escapes;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.NeuronConstants;
import org.pregrad.Pruning;
import org.pregrad.PruningResult;
import org.pregrad.Score;
import org.pregrad.UnsupportedModelException;
import org.pregrad.cli.data.ArrayNames.Labels;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.data.NeuronsFile;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.DataOptions;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.options.TargetOptions;
import org.pregrad.cli.options.TargetOptions.Needed;
import org.pregrad.cli.output.Json;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;
import org.pregrad.cli.output.PruningFiles;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.progress.Progress;
import org.pregrad.cli.run.Accumulator;
import org.pregrad.cli.run.DeviceNotes;
import org.pregrad.cli.run.ReadOutput;
import org.pregrad.cli.run.Samples;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pregrad prune}. */
@Command(
        name = "prune",
        customSynopsis = {
            "pregrad prune --model M.pt2 --data D.npz --layer NAME[@CALL]...",
            "                     [--method METHOD] [--aggregate AGGREGATE] [--share 0.5 | --keep N] --out DIR [OPTIONS]",
            "       pregrad prune --model M.pt2 --data D.npz --neurons FILE --out DIR [OPTIONS]"
        },
        description = "Take the least important neurons of layers away, with all weights that depend on them.",
        footer = {
            "DIR/plan.json tells which neurons go, and which indices of which axes of which weights go with them, through"
                    + " additions, concatenations, normalisations, groups and flattening; DIR/pruned.safetensors is the state"
                    + " dict without them, DIR/pruned.pt2 the model, if it is an archive of torch.export. A neuron is"
                    + " removed by a := 0. Where not all that depends on it can go, plan.json says why, and has the neurons"
                    + " alone, as a mask. Layers that the model adds up are ranked together.",
            "",
            "multiply_adds are the products per sample that linear layers, convolutions, products of matrices and attention"
                    + " add up.",
            "",
            "Examples:",
            "  pregrad prune --model cnn.pt2 --data digits.npz --layer all --share 0.5 --out DIR",
            "  pregrad prune --model cnn.pt2 --data digits.npz --layer relu \\",
            "      --method gradient-x-centred-activation --keep 4 --out DIR"
        })
final class PruneCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Mixin
    private DataOptions data;

    @Option(
            names = "--layer",
            arity = "1..*",
            paramLabel = "NAME[@CALL]",
            converter = Choices.Layers.class,
            description = "A layer whose neurons are ranked, as for pregrad attribute. May be repeated.")
    private List<String> layers;

    @Mixin
    private TargetOptions target;

    @Option(
            names = "--method",
            defaultValue = "gradient-x-activation",
            paramLabel = "METHOD",
            description = "What neurons are ranked by: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Method method;

    @Option(
            names = "--aggregate",
            defaultValue = "mean_abs",
            paramLabel = "AGGREGATE",
            description =
                    "How the samples' values are summed up: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Aggregate aggregate;

    @Option(
            names = "--share",
            paramLabel = "SHARE",
            description = "Which share of each layer's neurons goes, between 0 and 1 (default: 0.5).")
    private Double share;

    @Option(
            names = "--keep",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many neurons of each layer stay, in the place of a share.")
    private Integer keep;

    @Option(
            names = "--neurons",
            paramLabel = "FILE",
            description = "The neurons that go, in the place of layers and a ranking: JSON as in plan.json,"
                    + " [{\"layer\": \"relu\", \"call\": 0, \"pruned\": [3, 5]}].")
    private Path neurons;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "The seed of the method random (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "The directory for the results; created if missing. Its files appear whole or not at all.")
    private Path out;

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
        requireOneWay();
        OutputDirectory directory = new OutputDirectory(out);
        directory.checkWritable(PruningFiles.PLAN, PruningFiles.WEIGHTS, PruningFiles.EXPORTED, Summary.FILE);
        try (Model loaded = model.load();
                Dataset samples = open(loaded)) {
            samples.checkBatchSize(batch.size());
            ReadOutput.checkLabels(loaded, () -> open(loaded), batch.size(), target);
            List<Score> scores = neurons == null ? scores(loaded, samples.samples()) : List.of();
            try (Pruning pruning = opened(loaded, scores)) {
                measure(loaded, pruning, samples.samples());
                PruningResult result = pruning.result();
                write(directory, pruning, result, samples);
            }
        }
        return 0;
    }

    private void requireOneWay() {
        if ((layers == null) == (neurons == null)) {
            throw error(
                    layers == null
                            ? "nothing says which neurons go: give --layer, or --neurons FILE"
                            : "--neurons names its layers itself: leave --layer out");
        }
        if (share != null && keep != null) {
            throw error("--share and --keep both say how many neurons go: give one of them");
        }
        if (neurons != null && (share != null || keep != null)) {
            throw error("--neurons says which neurons go: leave --share and --keep out");
        }
        if (share != null && !(share > 0 && share < 1)) {
            throw error("--share is " + share + ": give a number between 0 and 1");
        }
    }

    private ParameterException error(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private Dataset open(Model loaded) {
        Needed needed = target.needed();
        return data.open(loaded, needed.labels() == Labels.TARGETS ? needed.with(Labels.TRUTH) : needed);
    }

    private Samples passes(Model loaded) {
        return new Samples(() -> open(loaded), batch.size(), 1, new DeviceNotes(quiet::hint));
    }

    private List<Score> scores(Model loaded, long count) throws IOException, InterruptedException {
        try (Attribution attribution = target.applyTo(loaded.attribution())
                        .layers(layers)
                        .methods(method)
                        .seed(seed)
                        .open();
                Progress progress = Progress.start("Scoring", count, quiet.isSet())) {
            passes(loaded).passOver(Accumulator.of(attribution), progress);
            return attribution.scores().all();
        }
    }

    private Pruning opened(Model loaded, List<Score> scores) {
        Pruning.Builder builder = target.applyTo(loaded.pruning());
        if (neurons != null) {
            return builder.neurons(NeuronsFile.read(neurons)).open();
        }
        List<NeuronConstants> values = new ArrayList<>();
        for (Score score : scores) {
            values.add(new NeuronConstants(score.layer(), score.call(), OptionalLong.empty(), score.of(aggregate)));
        }
        builder.scores(values);
        if (keep != null) {
            return builder.keep(keep).open();
        }
        return builder.share(share == null ? 0.5 : share).open();
    }

    private void measure(Model loaded, Pruning pruning, long count) throws IOException, InterruptedException {
        try (Progress progress = Progress.start("Pruning", count, quiet.isSet())) {
            passes(loaded).passOver(Accumulator.of(pruning, target.needed().labels() != Labels.WEIGHTS), progress);
        }
    }

    private void write(OutputDirectory directory, Pruning pruning, PruningResult result, Dataset samples)
            throws IOException {
        Summary run = RunOrigin.of(
                        spec.commandLine(), options(samples), model.file(), data.file(), null, samples.samples())
                .summary(List.of());
        String notExported = null;
        try (OutputTransaction transaction = directory.begin()) {
            if (result.isClosed()) {
                transaction.writeFile(PruningFiles.WEIGHTS, pruning::saveWeights);
                try {
                    transaction.writeFile(PruningFiles.EXPORTED, file -> pruning.saveExported(model.file(), file));
                } catch (UnsupportedModelException e) {
                    notExported = e.getMessage();
                }
            }
            PruningFiles.Plan plan = PruningFiles.Plan.of(run, result, notExported);
            transaction.write(PruningFiles.PLAN, text -> Json.write(plan, text));
            transaction.write(Summary.FILE, text -> Json.write(PruningFiles.OfPruning.of(run, result), text));
            transaction.commit();
        }
        tell(result, notExported);
    }

    private void tell(PruningResult result, String notExported) {
        if (!result.isClosed()) {
            quiet.hint("no weight was cut, as " + result.open() + "; plan.json has the neurons as a mask");
        } else if (notExported != null) {
            quiet.hint("there is no " + PruningFiles.EXPORTED + ": " + notExported);
        }
        if (quiet.isSet()) {
            return;
        }
        PrintWriter to = spec.commandLine().getOut();
        to.print(PruningFiles.table(result));
        to.println("Plan:    " + shown(PruningFiles.PLAN));
        if (result.isClosed()) {
            to.println("Weights: " + shown(PruningFiles.WEIGHTS));
            if (notExported == null) {
                to.println("Model:   " + shown(PruningFiles.EXPORTED));
            }
        }
        to.println("Summary: " + shown(Summary.FILE));
        to.flush();
    }

    private String shown(String file) {
        return Escapes.visible(out.resolve(file).toString());
    }

    private Map<String, Object> options(Dataset samples) {
        Map<String, Object> options = new LinkedHashMap<>();
        if (neurons == null) {
            options.put("layers", Choices.distinct(layers));
            options.put("method", method.id());
            options.put("aggregate", aggregate.id());
            options.put(keep == null ? "share" : "keep", keep == null ? (share == null ? 0.5 : share) : keep);
            options.put("seed", seed);
        } else {
            options.put("neurons", neurons.toString());
        }
        options.putAll(target.described());
        options.putAll(samples.read());
        options.put("batch_size", batch.size());
        options.put("device", model.device().toString());
        options.put("threads", model.threads());
        return options;
    }
}
