package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pregrad.cli.report.SampleRun;

/** {@code pregrad report}; no native library is loaded. */
class ReportCommandTest {
    @TempDir
    private Path directory;

    @BeforeEach
    void writeRun() throws IOException {
        new SampleRun(Map.of("relu", 4), 2).writeAblation(directory);
    }

    @Test
    void drawsThePageBesideItsFiles() throws IOException {
        Ran ran = report();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).isEqualTo("Report:  " + directory.resolve("report.html") + "\n");
        assertThat(directory.resolve("report.html"))
                .content()
                .startsWith("<!doctype html>")
                .endsWith("</html>\n");
        byte[] first = Files.readAllBytes(directory.resolve("report.html"));
        assertThat(report().code()).isZero();
        assertThat(directory.resolve("report.html")).hasBinaryContent(first);
        assertThat(names()).containsExactly("curves.csv", "report.html", "scores.csv", "summary.json");
    }

    @Test
    void saysNothingWhenQuiet() {
        Ran ran = Ran.inProcess("report", "--from", directory.toString(), "--quiet");
        assertThat(ran.code()).isZero();
        assertThat(ran.out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"scores.csv", "summary.json", "curves.csv"})
    void refusesADirectoryWithoutAFile(String missing) throws IOException {
        Files.delete(directory.resolve(missing));
        assertRefused("there is no " + directory.resolve(missing), "give --from the --out directory");
    }

    @ParameterizedTest
    @CsvSource({"scores.csv", "summary.json", "curves.csv"})
    void refusesATruncatedFile(String name) throws IOException {
        String whole = Files.readString(directory.resolve(name));
        for (double share : new double[] {0, 0.3, 0.5, 0.9}) {
            Files.writeString(directory.resolve(name), whole.substring(0, (int) (share * whole.length())));
            assertRefused(directory.resolve(name).toString());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "scores.csv   | ,mean_abs | ,mean_size | it has no column 'mean_abs'",
                "scores.csv   | gradient,1,100 | gradient,2,100 | row 3 has neuron 2 where 1 should stand",
                "scores.csv   | gradient,1,100 | gradient,-1,100 | row 3 has -1 for neuron, which is out of range",
                "scores.csv   | gradient,1,100, | gradient,1,100,x | for mean, which is no number",
                "scores.csv   | gradient,1,100 | gradient,1,100,7 | row 3 has 12 fields where the header has 11",
                "scores.csv   | ,0,1,gradient-x-activation, | ,0,1,gradient-y, | it lacks relu@0, cluster 1,"
                        + " gradient-x-activation, which summary.json has",
                "curves.csv   | random,mean,1,3 | random,mean,1,4 | the curve random mean of relu@0, cluster 0 has other"
                        + " points",
                "curves.csv   | \"relu\",0,1, | \"relu\",0,7, | it has relu@0, cluster 7, which scores.csv lacks",
                "summary.json | \"versions\" | \"version\" | it lacks 'versions'",
                "summary.json | \"samples\": 1797 | \"samples\": \"many\" | 'samples' is no integer",
                "summary.json | \"neurons\": 4 | \"neurons\": 5 | it has 4 neurons for relu@0, cluster 0 where"
                        + " summary.json has 5",
                "summary.json | } | } more | it is no JSON from line",
            })
    void refusesADamagedFile(String name, String from, String to, String message) throws IOException {
        Path file = directory.resolve(name);
        String whole = Files.readString(file);
        assertThat(whole).contains(from);
        Files.writeString(file, whole.replace(from, to));
        assertRefused(message, "run the command that wrote it again");
    }

    @Test
    void refusesBytesThatAreNoText() throws IOException {
        Files.write(directory.resolve("scores.csv"), new byte[] {'l', (byte) 0xff, (byte) 0xfe, ','});
        assertRefused("scores.csv is damaged: it is not UTF-8 text");
    }

    @Test
    void refusesWhatIsNoDirectory() {
        Path none = directory.resolve("none");
        Ran.inProcess("report", "--from", none.toString()).assertRefused("there is no directory " + none);
        Path file = directory.resolve("scores.csv");
        Ran.inProcess("report", "--from", file.toString()).assertRefused(file + " is a file");
    }

    @Test
    void refusesADirectoryThatCannotTakeThePage() throws IOException {
        Files.createDirectory(directory.resolve("report.html"));
        report().assertRefused(directory.resolve("report.html") + " is a directory; give another --from");
    }

    private void assertRefused(String... parts) throws IOException {
        report().assertRefused(parts);
        assertThat(names()).doesNotContain("report.html");
    }

    private Ran report() {
        return Ran.inProcess("report", "--from", directory.toString());
    }

    private Stream<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
        }
    }
}
