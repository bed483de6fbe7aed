package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pregrad.cli.output.CsvRow;

/** Names that a file brings along reach no terminal, spreadsheet or browser as they are, and can be given all the same. */
class HostileNamesTest {
    /** What acts on a terminal or turns text; the line feeds between lines are the command's own. */
    private static final String ACTING = "(?s).*[\\p{Cc}\\p{Cf}\\x{2028}\\x{2029}&&[^\\n]].*";

    @TempDir
    private Path directory;

    static List<String> names() {
        return List.of(
                "act\u001b[31mRED\u001b[0m",
                "\u001b]0title\u0007act",
                "=cmd|calc!A1",
                "+1+1",
                "-2+3",
                "'=1+1",
                "line\nfeed",
                "carriage\rreturn",
                "\t=tab",
                "\u009b2Jact",
                "\u202etca\u2066",
                "line\u2028separator",
                "quote\"s and 'apostrophes'",
                "back\\slash\\x41",
                "</script><b>&amp",
                "nul\0nul",
                "--all",
                "long".repeat(2000));
    }

    @ParameterizedTest(name = "{index}")
    @MethodSource("names")
    void areShownEscapedAndCanBeGivenSo(String name) throws IOException {
        String model = model(name).toString();
        Ran table = run("layers", "--model", model, "--quiet");
        assertHarmless(table.out());
        String shown = table.out().lines().skip(1).findFirst().orElseThrow().replaceFirst(" {2,}\\d+  relu .*", "");

        JsonNode json = new ObjectMapper()
                .readTree(assertHarmless(run("layers", "--model", model, "--format", "json", "--quiet")
                        .out()));
        assertThat(json.get(0).get("name").textValue()).isEqualTo(name);
        String csv = assertHarmless(
                run("layers", "--model", model, "--format", "csv", "--quiet").out());
        String[] row = csvRow(csv);
        assertThat(row[0].charAt(0)).isNotIn('=', '+', '-', '@', '\t', '\r');
        assertThat(CsvRow.text(row[0])).isEqualTo(name);

        // As it was shown it is given back.
        String given = shown.startsWith("--") ? "\\x2d" + shown.substring(1) : shown;
        Ran ran = succeeded(attribute(model, given));
        assertHarmless(ran.out());
        assertThat(ran.out()).contains(shown + "@0");
        String scores = Files.readString(directory.resolve("out/scores.csv"));
        assertThat(CsvRow.text(csvRow(assertHarmless(scores))[0])).isEqualTo(name);
        assertHarmless(Files.readString(directory.resolve("out/summary.json")));
        JsonNode summary = new ObjectMapper().readTree(Files.readString(directory.resolve("out/summary.json")));
        assertThat(summary.at("/scores/0/layer").textValue()).isEqualTo(name);

        // The page of the run is the page of its files.
        Path page = directory.resolve("out/report.html");
        String drawn = Files.readString(page);
        String own = drawn.replaceAll("(?s)<script>.*?</script>", "");
        assertHarmless(own);
        assertThat(own).doesNotContain("<b>");
        run("report", "--from", directory.resolve("out").toString());
        assertThat(page).hasContent(drawn);
    }

    @Test
    void areEscapedInErrors() throws IOException {
        String model = model("act\u001b[31m\n\u202e").toString();
        Ran ran = attribute(model, "no\u001b[2J");
        ran.assertRefused("no\\x1b[2J", "act\\x1b[31m\\x0a\\u202e");
        assertHarmless(ran.err());
        Ran file = Ran.inProcess("layers", "--model", "no\u001b[2J\u202efile");
        file.assertRefused("no\\x1b[2J\\u202efile");
        assertHarmless(file.err());
        Ran option = Ran.inProcess("layers", "--mo\u001b[2Jdel", "x");
        assertThat(option.code()).isEqualTo(2);
        assertHarmless(option.err());
    }

    @Test
    void areCutInErrors() throws IOException {
        String model = model("act").toString();
        Ran ran = attribute(model, "x".repeat(100_000));
        ran.assertRefused("xxxx", "\u2026");
        assertThat(ran.err()).hasSizeLessThan(4200);
    }

    private Ran attribute(String model, String layer) {
        String data = Fixtures.text("act-relu.npz");
        String out = directory.resolve("out").toString();
        return Ran.inProcess("attribute", "--model", model, "--data", data, "--layer=" + layer, "--out", out);
    }

    private static Ran run(String... arguments) {
        return succeeded(Ran.inProcess(arguments));
    }

    private static Ran succeeded(Ran ran) {
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        return ran;
    }

    private static String assertHarmless(String text) {
        assertThat(text.matches(ACTING))
                .as(text.length() > 2000 ? "what was written" : text)
                .isFalse();
        return text;
    }

    /** The first row below the header. */
    private static String[] csvRow(String csv) throws IOException {
        try (var rows = new CsvMapper()
                .enable(CsvParser.Feature.WRAP_AS_ARRAY)
                .readerFor(String[].class)
                .<String[]>readValues(csv)) {
            rows.nextValue();
            return rows.nextValue();
        }
    }

    /** A model whose first layer has that name, which was {@code act}. */
    private Path model(String name) throws IOException {
        String quoted = new ObjectMapper().writeValueAsString(name);
        Map<String, byte[]> records = Archives.read(Fixtures.path("act-relu.exported.pt2"));
        String program = Archives.program(records);
        String renamed = new String(records.get(program), StandardCharsets.UTF_8)
                .replace("L__self__act,act,", "L__self__act," + quoted.substring(1, quoted.length() - 1) + ",");
        records.put(program, renamed.getBytes(StandardCharsets.UTF_8));
        Path file = directory.resolve("model.pt2");
        Archives.write(records, file);
        return file;
    }
}
