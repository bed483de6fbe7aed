package org.pregrad.cli.run;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.pregrad.Attribution;
import org.pregrad.Baseline;
import org.pregrad.Example;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.NeuronConstants;
import org.pregrad.Positions;
import org.pregrad.Removal;
import org.pregrad.Score;
import org.pregrad.Scores;
import org.pregrad.cli.data.BaselineFile;
import org.pregrad.cli.data.BaselineFile.LayerCall;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.TargetOptions;
import org.pregrad.cli.progress.Progress;

/** Scores samples by some methods, with all that these need beforehand. */
public final class Scorer {
    /** Of a neuron at a position: three sums of 106 bits, and four aggregates in native memory and on the heap. */
    private static final long BYTES_PER_VALUE = 3 * 16 + 2 * 4 * 8;
    /** What the centred method keeps of a neuron at a position for each sample. */
    private static final long BYTES_PER_SAMPLE = 2 * 8;

    private final Model model;
    private final Wanted wanted;
    private final PathOptions paths;
    private final List<Method> methods;
    private final Samples samples;
    private int examples;
    private List<Example> found = List.of();

    /** Of which layers and output, and at which positions. */
    public record Wanted(List<String> layers, TargetOptions target, Positions positions, boolean cudaGraphs) {}

    public Scorer(Model model, Wanted wanted, PathOptions paths, List<Method> methods, Samples samples) {
        this.model = model;
        this.wanted = wanted;
        this.paths = paths;
        this.methods = methods;
        this.samples = samples;
    }

    /** Keeps so many examples of each neuron. */
    public Scorer keeping(int count) {
        examples = count;
        return this;
    }

    /** The same of another model. */
    public Scorer of(Model other) {
        return new Scorer(other, wanted, paths, methods, samples);
    }

    /**
     * @param means    of the activations of each layer call; empty unless some method needs them
     * @param examples empty unless they were asked for
     */
    public record Scored(Scores scores, List<NeuronConstants> means, List<Example> examples) {}

    /**
     * Scores all samples.
     *
     * @param task        as the progress names it
     * @param count       how many samples there are
     * @param checkpoints gives that of the pass of a name
     */
    public Scored score(String task, long count, boolean quiet, Function<String, Checkpoint> checkpoints)
            throws IOException, InterruptedException {
        int passes = needsMeans() ? 2 : 1;
        try (Progress progress = Progress.start(task, passes * count, quiet)) {
            List<NeuronConstants> means = needsMeans() ? means(checkpoints.apply("means"), progress) : List.of();
            return new Scored(scores(means, checkpoints.apply("scores"), progress), means, found);
        }
    }

    /**
     * Opens what explains single samples; the caller closes it.
     *
     * @param count how many samples a pass for the means has
     */
    public Attribution explaining(long count, boolean quiet) throws IOException, InterruptedException {
        if (!needsMeans() && !methods.contains(Method.GRADIENT_X_CENTRED_ACTIVATION)) {
            return builder(List.of()).open();
        }
        try (Progress progress = Progress.start("Taking means", count, quiet)) {
            return builder(means(Checkpoint.NONE, progress)).open();
        }
    }

    /** Whether some method needs the mean activations, which take a pass of their own. */
    private boolean needsMeans() {
        return (needsBaseline() && paths.baseline().kind() == Baseline.MEAN)
                || ((methods.contains(Method.ABLATION) || methods.contains(Method.SHAPLEY))
                        && paths.removal() == Removal.MEAN);
    }

    private boolean needsBaseline() {
        return methods.contains(Method.INTEGRATED_GRADIENTS) || methods.contains(Method.DEEP_LIFT);
    }

    /** The calls that the wanted layers stand for; runs the first batch, so wrong layers and inputs show. */
    public List<LayerCall> calls() throws IOException {
        try (Attribution attribution = of(List.of(Method.ACTIVATION)).open()) {
            samples.firstBatch(Accumulator.of(attribution));
            Map<String, LayerCall> calls = new LinkedHashMap<>();
            for (Score score : attribution.scores().all()) {
                LayerCall call = new LayerCall(score.layer(), score.call(), score.neurons());
                calls.putIfAbsent(call.id(), call);
            }
            return List.copyOf(calls.values());
        }
    }

    private List<NeuronConstants> means(Checkpoint checkpoint, Progress progress)
            throws IOException, InterruptedException {
        return scores(of(List.of(Method.ACTIVATION)), false, checkpoint, progress)
                .meanActivations();
    }

    private Scores scores(List<NeuronConstants> means, Checkpoint checkpoint, Progress progress)
            throws IOException, InterruptedException {
        Attribution.Builder builder = builder(means).examples(examples);
        if (wanted.positions() == Positions.EACH) {
            tellMemory();
        }
        return scores(builder, paths.corruptFor(methods) != null, checkpoint, progress);
    }

    private Attribution.Builder builder(List<NeuronConstants> means) throws IOException {
        Attribution.Builder builder = of(methods)
                .steps(paths.steps())
                .quadrature(paths.rule())
                .removal(paths.removal())
                .means(means)
                .positions(wanted.positions())
                .seed(paths.seed());
        paths.applyTo(builder);
        if (needsBaseline()) {
            setBaseline(builder);
        }
        if (methods.contains(Method.EXPECTED_GRADIENTS)) {
            setReferences(builder);
        }
        boolean pathsFromInput = methods.contains(Method.CONDUCTANCE) || methods.contains(Method.INTERNAL_INFLUENCE);
        if (pathsFromInput && paths.inputBaseline().kind() == Baseline.GIVEN) {
            try (Dataset data = samples.source().get()) {
                builder.inputBaselines(BaselineFile.inputs(paths.inputBaseline().file(), data));
            }
        }
        return builder;
    }

    private void setReferences(Attribution.Builder builder) throws IOException {
        if (paths.references() == null) {
            throw new UserException("expected-gradients has no references; give the samples that are its baselines by"
                    + " --references FILE.npz");
        }
        try (Dataset data = samples.source().get()) {
            builder.references(BaselineFile.references(paths.references(), data));
        }
    }

    /** Runs the first batch to see how many positions there are. */
    private void tellMemory() throws IOException {
        try (Attribution attribution =
                        of(List.of(Method.ACTIVATION)).positions(Positions.EACH).open();
                Dataset data = samples.source().get()) {
            samples.firstBatch(Accumulator.of(attribution));
            List<Score> seen = attribution.scores().all();
            long clustersSeen =
                    seen.stream().mapToLong(Score::cluster).distinct().count();
            long values = seen.stream().mapToLong(Score::neurons).sum() / Math.max(1, clustersSeen);
            long clusters = data.clusterSizes().size();
            long bytes = values * clusters * methods.size() * BYTES_PER_VALUE;
            if (methods.contains(Method.GRADIENT_X_CENTRED_ACTIVATION)) {
                bytes += values * data.samples() * BYTES_PER_SAMPLE;
            }
            samples.notes().tellMemory(bytes);
        }
    }

    private Attribution.Builder of(List<Method> some) {
        return wanted.target()
                .applyTo(model.attribution())
                .layers(wanted.layers())
                .methods(some)
                .cudaGraphs(wanted.cudaGraphs());
    }

    private void setBaseline(Attribution.Builder builder) throws IOException {
        builder.baseline(paths.baseline().kind());
        if (paths.baseline().kind() == Baseline.GIVEN) {
            builder.baselines(BaselineFile.activations(paths.baseline().file(), calls()));
        }
    }

    private Scores scores(Attribution.Builder builder, boolean takesCorrupt, Checkpoint checkpoint, Progress progress)
            throws IOException, InterruptedException {
        try (Attribution attribution = builder.open()) {
            samples.passOver(Accumulator.of(attribution, takesCorrupt), checkpoint, progress);
            found = attribution.examples();
            return attribution.scores();
        }
    }
}
