package org.pregrad.cli.output;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.pregrad.ModelInput;

/** What goes into a model and what comes out, as {@code pregrad layers} prints it below its table. */
public final class ModelTable {
    /** In a shape, an axis of any size. */
    public static final long FREE = -1;

    private ModelTable() {}

    /** An empty line, then one per input. */
    public static String inputs(List<ModelInput> inputs) {
        Table table = new Table("llll", List.of("input", "type", "shape", "optional"));
        inputs.forEach(input -> table.add(
                List.of(input.name(), input.type(), inWords(input.shape()), Boolean.toString(input.optional()))));
        return "\n" + table.render();
    }

    /** An empty line, then one per output. */
    public static String outputs(Map<String, List<Long>> shapes) {
        Table table = new Table("ll", List.of("output", "shape"));
        shapes.forEach((name, shape) -> table.add(List.of(name.isEmpty() ? "(unnamed)" : name, inWords(shape))));
        return "\n" + table.render();
    }

    /** A shape in words, e.g. {@code ?x3x64x64}. */
    public static String inWords(List<Long> shape) {
        return shape.stream().map(size -> size == FREE ? "?" : size.toString()).collect(Collectors.joining("x"));
    }
}
