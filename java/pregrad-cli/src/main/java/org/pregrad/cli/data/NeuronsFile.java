package org.pregrad.cli.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.pregrad.PrunedNeurons;
import org.pregrad.cli.errors.UserException;

/**
 * Which neurons go: a JSON array {@code [{"layer": "relu", "call": 0, "pruned": [3, 5]}]}, or an object with such an array as
 * its {@code layers}, as {@code plan.json} is.
 */
public final class NeuronsFile {
    private static final String SHAPE =
            ": give [{\"layer\": \"relu\", \"call\": 0, \"pruned\": [3, 5]}], or a plan.json";

    private NeuronsFile() {}

    /** @throws UserException if there is no such file, or it says something else */
    public static List<PrunedNeurons> read(Path file) {
        JsonNode root = tree(file);
        JsonNode layers = root.isObject() ? root.path("layers") : root;
        if (!layers.isArray() || layers.isEmpty()) {
            throw new UserException("'" + file + "' lists no layers" + SHAPE);
        }
        List<PrunedNeurons> neurons = new ArrayList<>();
        for (JsonNode layer : layers) {
            JsonNode pruned = layer.path("pruned");
            if (!layer.path("layer").isTextual() || !pruned.isArray()) {
                throw new UserException("'" + file + "' has an entry without a layer and what is pruned of it" + SHAPE);
            }
            int[] indices = new int[pruned.size()];
            for (int i = 0; i < indices.length; i++) {
                if (!pruned.get(i).canConvertToInt() || !pruned.get(i).isIntegralNumber()) {
                    throw new UserException(
                            "'" + file + "' has neuron " + pruned.get(i) + ", which is no number" + SHAPE);
                }
                indices[i] = pruned.get(i).intValue();
            }
            neurons.add(new PrunedNeurons(
                    layer.path("layer").textValue(), layer.path("call").asLong(0), indices));
        }
        return neurons;
    }

    private static JsonNode tree(Path file) {
        try {
            return new JsonMapper().readTree(file.toFile());
        } catch (JacksonException e) {
            throw new UserException("'" + file + "' is no JSON" + SHAPE, e);
        } catch (IOException e) {
            throw new UserException("cannot read '" + file + "': check its path and permissions", e);
        }
    }
}
