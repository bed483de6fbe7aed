package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.pregrad.Layer;

/** The layers of a model as {@code pregrad layers} prints them. */
public final class LayerList {
    private static final List<String> COLUMNS =
            List.of("name", "call", "op", "in_place", "neurons", "neuron_axis", "shape", "pre_activation");

    private LayerList() {}

    /** How they are printed. */
    public enum Format {
        TABLE,
        CSV,
        JSON;

        /** As users write it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A layer in JSON; null is what only a run can tell. */
    private record Entry(
            String name,
            long call,
            String op,
            @JsonProperty("in_place") boolean inPlace,
            Long neurons,
            @JsonProperty("neuron_axis") Long neuronAxis,
            List<Long> shape,
            @JsonProperty("pre_activation") String preActivation,
            String operators) {}

    public static String text(List<Layer> layers, Format format) throws IOException {
        return switch (format) {
            case TABLE -> table(layers);
            case CSV -> csv(layers);
            case JSON -> Json.text(layers.stream().map(LayerList::entry).toList());
        };
    }

    private static String table(List<Layer> layers) {
        // What a layer is made of goes without saying where that is one operator.
        if (layers.stream().allMatch(layer -> layer.operators().equals(layer.op()))) {
            Table table = new Table("lrllrrll", COLUMNS);
            layers.forEach(layer -> table.add(cells(layer)));
            return table.render();
        }
        List<String> columns = new ArrayList<>(COLUMNS);
        columns.add("operators");
        Table table = new Table("lrllrrlll", columns);
        for (Layer layer : layers) {
            List<String> cells = new ArrayList<>(cells(layer));
            cells.add(layer.operators());
            table.add(cells);
        }
        return table.render();
    }

    private static String csv(List<Layer> layers) throws IOException {
        StringBuilder text = new StringBuilder();
        CsvRow.write(text, COLUMNS);
        for (Layer layer : layers) {
            CsvRow.write(text, cells(layer));
        }
        return text.toString();
    }

    private static List<String> cells(Layer layer) {
        return List.of(
                layer.name(),
                Long.toString(layer.call()),
                layer.op(),
                Boolean.toString(layer.inPlace()),
                wasRun(layer) ? Long.toString(layer.neurons()) : "",
                wasRun(layer) ? Long.toString(layer.neuronAxis()) : "",
                layer.shape().stream().map(String::valueOf).collect(Collectors.joining("x")),
                layer.preActivation());
    }

    private static Entry entry(Layer layer) {
        boolean run = wasRun(layer);
        return new Entry(
                layer.name(),
                layer.call(),
                layer.op(),
                layer.inPlace(),
                run ? layer.neurons() : null,
                run ? layer.neuronAxis() : null,
                run ? layer.shape() : null,
                layer.preActivation().isEmpty() ? null : layer.preActivation(),
                layer.operators());
    }

    private static boolean wasRun(Layer layer) {
        return layer.neurons() >= 0;
    }
}
