package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.pregrad.PrunedNeurons;
import org.pregrad.PruningResult;
import org.pregrad.WeightCut;

/** What {@code pregrad prune} writes and prints of a result. */
public final class PruningFiles {
    public static final String PLAN = "plan.json";
    public static final String WEIGHTS = "pruned.safetensors";
    public static final String EXPORTED = "pruned.pt2";

    private PruningFiles() {}

    /**
     * A layer call and its neurons, which are the mask.
     *
     * @param pruned those that go
     * @param kept   those that stay
     */
    public record LayerMask(String layer, long call, int of, int[] pruned, int[] kept) {
        static LayerMask of(PrunedNeurons layer) {
            int[] pruned = layer.neurons();
            int[] kept = IntStream.range(0, layer.of())
                    .filter(neuron -> Arrays.binarySearch(pruned, neuron) < 0)
                    .toArray();
            return new LayerMask(layer.layer(), layer.call(), layer.of(), pruned, kept);
        }
    }

    /** What goes from a weight. */
    public record Cut(
            String weight,
            int axis,
            int[] indices,
            List<Long> shape,
            @JsonProperty("pruned_shape") List<Long> prunedShape) {
        static Cut of(WeightCut cut) {
            return new Cut(cut.weight(), cut.axis(), cut.indices(), cut.shape(), cut.prunedShape());
        }
    }

    /**
     * Figures before and after; null where there are none.
     *
     * @param accuracyAtZero of the model with the neurons' activations at zero
     */
    public record Figures(
            Double accuracy,
            @JsonProperty("accuracy_at_zero") Double accuracyAtZero,
            @JsonProperty("pruned_accuracy") Double prunedAccuracy,
            Double difference,
            @JsonProperty("multiply_adds") long multiplyAdds,
            @JsonProperty("pruned_multiply_adds") Long prunedMultiplyAdds,
            long parameters,
            @JsonProperty("pruned_parameters") long prunedParameters) {
        static Figures of(PruningResult result) {
            return new Figures(
                    Json.orNull(result.accuracy()),
                    Json.orNull(result.accuracyAtZero()),
                    Json.orNull(result.prunedAccuracy()),
                    Json.orNull(result.difference()),
                    result.multiplyAdds(),
                    result.isClosed() ? result.prunedMultiplyAdds() : null,
                    result.parameters(),
                    result.prunedParameters());
        }
    }

    /**
     * {@code plan.json}.
     *
     * @param open     why no weight can be cut; null where the plan is closed
     * @param exported why there is no pruned.pt2; null where there is one, or the plan is open
     */
    public record Plan(
            Map<String, Object> options,
            FileDigest model,
            boolean closed,
            @JsonInclude(JsonInclude.Include.NON_NULL) String open,

            @JsonInclude(JsonInclude.Include.NON_NULL) @JsonProperty("not_exported")
            String exported,

            List<LayerMask> layers,
            List<Cut> weights,
            Figures figures) {
        public static Plan of(Summary run, PruningResult result, String exported) {
            return new Plan(
                    run.options(),
                    run.model(),
                    result.isClosed(),
                    result.isClosed() ? null : result.open(),
                    exported,
                    result.neurons().stream().map(LayerMask::of).toList(),
                    result.cuts().stream().map(Cut::of).toList(),
                    Figures.of(result));
        }
    }

    /** {@code summary.json}. */
    public record OfPruning(@JsonUnwrapped Summary run, boolean closed, Figures pruning) {
        public static OfPruning of(Summary run, PruningResult result) {
            return new OfPruning(run, result.isClosed(), Figures.of(result));
        }
    }

    /** What the terminal shows: figures of the model, with its neurons at zero, and pruned. */
    public static String table(PruningResult result) {
        Table layers = new Table("lrrr", List.of("layer", "call", "neurons", "pruned"));
        for (PrunedNeurons layer : result.neurons()) {
            layers.add(List.of(
                    layer.layer(),
                    Long.toString(layer.call()),
                    Integer.toString(layer.of()),
                    Integer.toString(layer.neurons().length)));
        }
        Table figures = new Table("lrrr", List.of("model", "accuracy", "multiply_adds", "parameters"));
        figures.add(row("as it is", result.accuracy(), result.multiplyAdds(), result.parameters()));
        figures.add(row("neurons at 0", result.accuracyAtZero(), result.multiplyAdds(), result.parameters()));
        if (result.isClosed()) {
            figures.add(row("pruned", result.prunedAccuracy(), result.prunedMultiplyAdds(), result.prunedParameters()));
        }
        return layers.render() + figures.render();
    }

    private static List<String> row(String name, double accuracy, long multiplyAdds, long parameters) {
        String share = Double.isNaN(accuracy) ? "" : String.format(Locale.ROOT, "%.4f", accuracy);
        return List.of(name, share, Long.toString(multiplyAdds), Long.toString(parameters));
    }
}
