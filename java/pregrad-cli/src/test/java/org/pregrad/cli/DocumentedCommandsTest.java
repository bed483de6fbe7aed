package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pregrad.data.ArrayFile;

/** The commands of {@code docs/models.md} run as they stand there, on small models, and give PyTorch's scores. */
class DocumentedCommandsTest {
    private static final Path PAGE = Fixtures.path("../../docs/models.md");
    private static final Pattern COMMANDS = Pattern.compile("(?ms)^```sh\n(.*?)^```$");
    private static final Pattern SAVED = Pattern.compile("numpy\\.savez\\(\"([^\"]+)\\.npz\", ([^)]*)\\)");
    private static final Pattern WORDS = Pattern.compile("'([^']*)'|([^\\s']+)");

    /** The fixtures by the name that the page gives their files. */
    private static final Map<String, String> FAMILIES = Map.ofEntries(
            Map.entry("bert", "bert-classifier"),
            Map.entry("tagger", "bert-tagger"),
            Map.entry("gpt2", "gpt2"),
            Map.entry("llama", "llama"),
            Map.entry("vit", "vit"),
            Map.entry("unet", "unet"),
            Map.entry("wide", "wide-and-deep"),
            Map.entry("dlrm", "dlrm"),
            Map.entry("lstm", "lstm-tagger"),
            Map.entry("graph", "graph"),
            Map.entry("tags", "multi-label"));

    @TempDir
    private Path directory;

    static Stream<String> commands() throws IOException {
        return COMMANDS.matcher(Files.readString(PAGE))
                .results()
                .map(match -> match.group(1).replace("\\\n", " ").strip().replaceAll(" +", " "));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void givesTheScoresOfPyTorch(String command) {
        List<String> words = WORDS.matcher(command)
                .results()
                .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
                .collect(Collectors.toCollection(ArrayList::new));
        assertThat(words.get(0)).isEqualTo("pregrad");
        Family family = family(words.get(words.indexOf("--model") + 1), ".pt2");
        assertThat(family(words.get(words.indexOf("--data") + 1), ".npz")).isEqualTo(family);
        words.set(words.indexOf("--model") + 1, family.models().get(0).toString());
        words.set(words.indexOf("--data") + 1, family.data().toString());
        words.set(words.indexOf("--out") + 1, directory.resolve("scores").toString());
        Ran ran = Ran.inProcess(words.subList(1, words.size()).toArray(String[]::new));
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();

        Path scores = directory.resolve("scores/scores.csv");
        Set<String> layers = column(scores, 0);
        assertThat(layers).isNotEmpty();
        List<String> methods =
                Arrays.asList(words.get(words.indexOf("--method") + 1).split(",", -1));
        List<JsonNode> truth = Stream.concat(family.scores().stream(), family.single().stream())
                .filter(row -> layers.contains(row.get("layer").textValue())
                        && methods.contains(row.get("method").textValue()))
                .toList();
        assertThat(Family.methods(truth)).containsExactlyInAnyOrderElementsOf(methods);
        assertThat(family.differences(scores, truth)).isEmpty();
    }

    @Test
    void everyFamilyHasACommand() throws IOException {
        Set<String> models = commands()
                .flatMap(command ->
                        Pattern.compile("--model (\\S+)\\.pt2").matcher(command).results())
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(models).isEqualTo(new TreeSet<>(FAMILIES.keySet()));
    }

    /** The arrays that the page saves are those that the model takes, and others that the fixture has too. */
    @Test
    void dataIsSavedUnderTheNamesOfInputs() throws IOException {
        Map<String, Set<String>> saved = new TreeMap<>();
        Matcher calls = SAVED.matcher(Files.readString(PAGE));
        while (calls.find()) {
            saved.put(calls.group(1), arguments(calls.toMatchResult()));
        }
        assertThat(saved).hasSizeGreaterThan(FAMILIES.size() / 2);
        for (Map.Entry<String, Set<String>> each : saved.entrySet()) {
            Family family = family(each.getKey(), "");
            try (ArrayFile file = ArrayFile.open(family.data())) {
                assertThat(file.names()).as(each.getKey()).containsAll(each.getValue());
            }
            Ran ran = Ran.inProcess("layers", "--model", family.models().get(0).toString());
            List<String> inputs = ran.out()
                    .lines()
                    .dropWhile(line -> !line.startsWith("input "))
                    .skip(1)
                    .takeWhile(line -> !line.isBlank() && !line.startsWith("output "))
                    .map(line -> line.split(" ", 2)[0])
                    .toList();
            assertThat(inputs).isNotEmpty();
            assertThat(each.getValue()).as(each.getKey()).containsAll(inputs);
        }
    }

    private static Set<String> arguments(MatchResult call) {
        return Stream.of(call.group(2).split(", *", -1))
                .map(argument -> argument.split("=", 2)[0])
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> column(Path csv, int column) {
        return Fixtures.rows(csv).map(row -> row[column]).collect(Collectors.toSet());
    }

    private static Family family(String file, String ending) {
        assertThat(file).endsWith(ending);
        String name = file.substring(0, file.length() - ending.length());
        assertThat(FAMILIES).as("the page's file " + file).containsKey(name);
        return Family.of(FAMILIES.get(name));
    }
}
