package org.pregrad.cli.run;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.pregrad.Model;
import org.pregrad.Outputs;
import org.pregrad.PreGradException;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.options.TargetOptions;
import org.pregrad.cli.output.ModelTable;

/**
 * What a model returns, as a run of some samples shows it, and which of it is read.
 *
 * @param shapes of all outputs by name, with {@link ModelTable#FREE} for the batch axis; a tensor alone has the empty name
 * @param name   of the output that is read; empty if it must be named, or is none of them
 */
public record ReadOutput(Map<String, List<Long>> shapes, Optional<String> name) {
    /** Of a single sample some models lose the axis. Those of a fixed batch take that alone. */
    private static final int FEW = 2;

    /** Axes that every output may have; those beside them are its positions. */
    private static final int SAMPLES_AND_CLASSES = 2;

    private static final String LOGITS = "logits";
    private static final String FIRST_OF_A_TUPLE = "0";

    /** @param wanted the output's name; null for that which is taken by default */
    public ReadOutput(Map<String, List<Long>> shapes, String wanted) {
        this(shapes, chosen(shapes, wanted));
    }

    /**
     * Runs the first samples.
     *
     * @param source    opens them
     * @param batchSize how many run where a few will not do
     * @param wanted    the output's name; null for that which is taken by default
     */
    public static ReadOutput of(Model model, Supplier<Dataset> source, int batchSize, String wanted)
            throws IOException {
        try {
            return new ReadOutput(shapes(model, source, FEW), wanted);
        } catch (PreGradException e) {
            return new ReadOutput(shapes(model, source, batchSize), wanted);
        }
    }

    /** Refuses labels of positions, of which the output that is read has none, in the words of the data. */
    public static void checkLabels(Model model, Supplier<Dataset> source, int batchSize, TargetOptions target)
            throws IOException {
        try (Dataset data = source.get()) {
            if (!data.hasLabelsOfPositions()) {
                return;
            }
            ReadOutput output = of(model, source, batchSize, target.outputName());
            if (output.name().isPresent() && !output.hasPositions()) {
                boolean areTargets = target.needed().labels() == ArrayNames.Labels.TARGETS;
                long outputs = areTargets && output.shape().size() == SAMPLES_AND_CLASSES
                        ? output.shape().get(1)
                        : 1;
                throw data.refusalOfPositions(output.inWords() + " has no positions", outputs);
            }
        }
    }

    /** Whether the output that is read has axes beside samples and classes. */
    public boolean hasPositions() {
        return shape().size() > SAMPLES_AND_CLASSES;
    }

    /**
     * Whether the output that is read has one class for certain, so that there is no accuracy and no label is needed for it.
     *
     * @param classAxis null if it is to be found
     */
    public boolean isOneClass(Integer classAxis) {
        int axes = shape().size();
        if (name.isEmpty() || (axes > SAMPLES_AND_CLASSES && classAxis == null)) {
            return false;
        }
        int axis = classAxis == null ? 1 : classAxis < 0 ? classAxis + axes : classAxis;
        return axes < SAMPLES_AND_CLASSES || (axis > 0 && axis < axes && shape().get(axis) == 1);
    }

    /** What the other commands would want to be told of it; empty if nothing. */
    public Optional<String> hint() {
        if (shapes.size() > 1 && name.isEmpty()) {
            return Optional.of("the model has several outputs: give --output-name to the other commands, one of "
                    + String.join(", ", shapes.keySet()));
        }
        return name.isPresent() && hasPositions()
                ? Optional.of(inWords() + " has positions: give --at to the other commands, or labels of the shape"
                        + " [samples, positions]")
                : Optional.empty();
    }

    private String inWords() {
        return "output "
                + name.filter(text -> !text.isEmpty())
                        .map(text -> "'" + text + "' ")
                        .orElse("") + "(shape " + ModelTable.inWords(shape()) + ")";
    }

    private List<Long> shape() {
        return name.map(shapes::get).orElse(List.of());
    }

    private static Optional<String> chosen(Map<String, List<Long>> shapes, String wanted) {
        if (wanted != null) {
            return Optional.of(wanted).filter(shapes::containsKey);
        }
        return shapes.size() == 1
                ? shapes.keySet().stream().findFirst()
                : List.of(LOGITS, FIRST_OF_A_TUPLE).stream()
                        .filter(shapes::containsKey)
                        .findFirst();
    }

    private static Map<String, List<Long>> shapes(Model model, Supplier<Dataset> source, int samples)
            throws IOException {
        try (Dataset data = source.get()) {
            data.checkBatchSize(samples);
            Batch batch = data.next(samples);
            Map<String, List<Long>> shapes = new LinkedHashMap<>();
            model.outputs(batch.inputsOf(model.inputs()))
                    .forEach((name, output) -> shapes.put(name, free(output, batch.samples())));
            return shapes;
        }
    }

    private static List<Long> free(Outputs output, int samples) {
        long[] shape = output.shape();
        if (shape.length > 0 && shape[0] == samples) {
            shape[0] = ModelTable.FREE;
        }
        return Arrays.stream(shape).boxed().toList();
    }
}
