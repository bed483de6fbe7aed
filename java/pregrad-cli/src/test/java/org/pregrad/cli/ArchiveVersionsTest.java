package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Archives of other schemas of torch.export than that of the PyTorch that the fixtures are made with (8.20), written from
 * these: none of those versions of PyTorch is at hand. What a schema has is what torch/_export/serde/schema.py of that time
 * declares; the archive around the program is today's.
 */
class ArchiveVersionsTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"graph", "gpt2", "unet", "lstm-tagger"})
    void readsOlderMinorVersions(String family) throws IOException {
        // From 8.16 to 8.20 only kinds of arguments and of numbers were added.
        meetsTheTruth(family, program -> version(program, 8, 16));
        // What came after 8.3.
        meetsTheTruth(family, program -> {
            version(program, 8, 3);
            program.remove("guards_code");
            everyObject(program, object -> {
                object.remove(List.of("is_hop_single_tensor_return", "kind", "treespec_namedtuple_fields"));
                if (object.has("target")) {
                    object.remove("name");
                }
            });
        });
    }

    @Test
    void readsANewerMinorVersionThatAddsFields() throws IOException {
        meetsTheTruth("graph", program -> {
            version(program, 8, 99);
            everyObject(program, object -> {
                // Unions have one field, and a program's maps have fields of any name.
                if (object.has("target") || object.has("graph_module") || object.has("nodes")) {
                    object.put("added_later", 1);
                }
            });
        });
    }

    @Test
    void refusesByNameWhatItCannotRead() throws IOException {
        refuses(
                "has schema 9.0 of torch.export (PyTorch 2.13.0+cpu), and PreGrad reads 8: export the model again with"
                        + " PyTorch 2.13",
                records -> change(records, program -> version(program, 9, 0)));
        refuses(
                "as_added_later",
                records -> change(records, program -> {
                    version(program, 8, 99);
                    ObjectNode node = (ObjectNode) program.at("/graph_module/graph/nodes/0/inputs/0/arg");
                    node.removeAll();
                    node.putObject("as_added_later");
                }));
        String saveAgain = "load it with torch.export.load and save it again with PyTorch 2.13";
        refuses(saveAgain, records -> records.put("archive/data/weights/model.pt", new byte[] {'P', 'K'}));
        refuses(saveAgain, records -> records.put("archive/serialized_exported_program.json", new byte[] {'{', '}'}));
    }

    private void meetsTheTruth(String name, Consumer<ObjectNode> rewrite) throws IOException {
        Family family = Family.of(name);
        Map<String, byte[]> records = Archives.read(family.models().get(0));
        change(records, rewrite);
        Path out = directory.resolve("out");
        List<String> words = new ArrayList<>(
                List.of("--method", String.join(",", Family.methods(family.scores())), "--out", out.toString()));
        words.add("--layer");
        words.addAll(family.reaching());
        Ran ran = attribute(family, records, words);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(family.differences(out.resolve("scores.csv"), family.scores()))
                .isEmpty();
    }

    private void refuses(String part, Consumer<Map<String, byte[]>> rewrite) throws IOException {
        Family family = Family.of("graph");
        Map<String, byte[]> records = Archives.read(family.models().get(0));
        rewrite.accept(records);
        attribute(
                        family,
                        records,
                        List.of(
                                "--layer",
                                "all",
                                "--out",
                                directory.resolve("none").toString()))
                .assertRefused("model.pt2'", part);
    }

    private Ran attribute(Family family, Map<String, byte[]> records, List<String> more) throws IOException {
        Path model = directory.resolve("model.pt2");
        Archives.write(records, model);
        List<String> words = new ArrayList<>(List.of(
                "attribute",
                "--model",
                model.toString(),
                "--data",
                family.data().toString()));
        words.addAll(family.options());
        words.addAll(more);
        return Ran.inProcess(words.toArray(String[]::new));
    }

    private static void change(Map<String, byte[]> records, Consumer<ObjectNode> rewrite) {
        String record = Archives.program(records);
        try {
            ObjectNode program = (ObjectNode) new ObjectMapper().readTree(records.get(record));
            rewrite.accept(program);
            records.put(record, program.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void version(ObjectNode program, int major, int minor) {
        program.putObject("schema_version").put("major", major).put("minor", minor);
    }

    private static void everyObject(JsonNode from, Consumer<ObjectNode> change) {
        if (from instanceof ObjectNode object) {
            change.accept(object);
        }
        from.forEach(part -> everyObject(part, change));
    }
}
