package org.pregrad.cli.run;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.pregrad.Attribution;
import org.pregrad.Baseline;
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
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.progress.Progress;

/** Scores samples by some methods, with all that these need beforehand. */
public final class Scorer {
    /** Of a neuron at a position: three sums of 106 bits, and four aggregates in native memory and on the heap. */
    private static final long BYTES_PER_VALUE = 3 * 16 + 2 * 4 * 8;
    /** What the centred method keeps of a neuron at a position for each sample. */
    private static final long BYTES_PER_SAMPLE = 2 * 8;

    private final Model model;
    private final ScoreOptions wanted;
    private final PathOptions paths;
    private final List<Method> methods;
    private final Samples samples;

    public Scorer(Model model, ScoreOptions wanted, PathOptions paths, List<Method> methods, Samples samples) {
        this.model = model;
        this.wanted = wanted;
        this.paths = paths;
        this.methods = methods;
        this.samples = samples;
    }

    /** The same of another model. */
    public Scorer of(Model other) {
        return new Scorer(other, wanted, paths, methods, samples);
    }

    /** @param means of the activations of each layer call; empty unless some method needs them */
    public record Scored(Scores scores, List<NeuronConstants> means) {}

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
            return new Scored(scores(means, checkpoints.apply("scores"), progress), means);
        }
    }

    /** Whether some method needs the mean activations, which take a pass of their own. */
    private boolean needsMeans() {
        return (methods.contains(Method.INTEGRATED_GRADIENTS)
                        && paths.baseline().kind() == Baseline.MEAN)
                || (methods.contains(Method.ABLATION) && paths.removal() == Removal.MEAN);
    }

    /** The calls that the wanted layers stand for; runs the first batch, so wrong layers and inputs show. */
    public List<LayerCall> calls() throws IOException {
        try (Attribution attribution = builder(List.of(Method.ACTIVATION)).open()) {
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
        return scores(builder(List.of(Method.ACTIVATION)), checkpoint, progress).meanActivations();
    }

    private Scores scores(List<NeuronConstants> means, Checkpoint checkpoint, Progress progress)
            throws IOException, InterruptedException {
        Attribution.Builder builder = builder(methods)
                .steps(paths.steps())
                .quadrature(paths.rule())
                .removal(paths.removal())
                .means(means)
                .positions(wanted.positions())
                .seed(paths.seed());
        if (methods.contains(Method.INTEGRATED_GRADIENTS)) {
            setBaseline(builder);
        }
        boolean pathsFromInput = methods.contains(Method.CONDUCTANCE) || methods.contains(Method.INTERNAL_INFLUENCE);
        if (pathsFromInput && paths.inputBaseline().kind() == Baseline.GIVEN) {
            try (Dataset data = samples.source().get()) {
                builder.inputBaselines(BaselineFile.inputs(paths.inputBaseline().file(), data));
            }
        }
        if (wanted.positions() == Positions.EACH) {
            tellMemory();
        }
        return scores(builder, checkpoint, progress);
    }

    /** Runs the first batch to see how many positions there are. */
    private void tellMemory() throws IOException {
        try (Attribution attribution = builder(List.of(Method.ACTIVATION))
                        .positions(Positions.EACH)
                        .open();
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

    private Attribution.Builder builder(List<Method> some) {
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

    private Scores scores(Attribution.Builder builder, Checkpoint checkpoint, Progress progress)
            throws IOException, InterruptedException {
        try (Attribution attribution = builder.open()) {
            samples.passOver(Accumulator.of(attribution), checkpoint, progress);
            return attribution.scores();
        }
    }
}
