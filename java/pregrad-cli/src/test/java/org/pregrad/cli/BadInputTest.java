package org.pregrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pregrad.data.TestNpz;

/** Whatever the user can mend is said in one line with the mend, exit code 2, and leaves no file behind. */
class BadInputTest {
    private static final String MLP = "digits-mlp.scripted.pt";
    private static final String DIGITS = "digits.npz";

    @TempDir
    private Path directory;

    static Stream<Fixtures.Entry> refused() {
        // This one's output is a dict of one tensor, which is read.
        return Fixtures.refused().filter(entry -> !entry.model().equals("refused-dict-output"));
    }

    @ParameterizedTest
    @CsvSource({
        "broken/none.pt, none.pt",
        "broken/empty.pt, empty",
        "broken/truncated.pt, truncated.pt",
        "broken/random.pt, random.pt",
        "broken/zip.pt, zip.pt",
        "broken/state-dict.pt, torch.jit",
        "broken/eager-module.pt, torch.jit",
        ", director",
    })
    void models(String model, String part) throws IOException {
        String file = Fixtures.text(model == null ? "" : model);
        refuse(List.of("--model", file, "--data", Fixtures.text(DIGITS), "--layer", "act1"), part);
        Ran.inProcess("layers", "--model", file).assertRefused(part);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "writes-file.pt | operator aten::save",
                "writes-file.pt | --trust-model",
                "prints.pt | operator prim::Print",
                "state-writes-file.pt | __setstate__",
                "state-writes-file.pt | --trust-model",
                "short-record.pt | record 'data/0', which has 4",
                "deep-expression.pt | nests an expression",
            })
    void modelsThatWantMoreThanToBeComputed(String model, String part) throws IOException {
        String file = Fixtures.text("hostile/" + model);
        refuse(List.of("--model", file, "--data", Fixtures.text("act-relu.npz"), "--layer", "act"), part);
        Ran.inProcess("layers", "--model", file).assertRefused(part);
        assertThat(Path.of("hostile-canary")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"short-record.pt", "deep-expression.pt"})
    void trustDoesNotOpenWhatWouldCrash(String model) throws IOException {
        Ran.inProcess("layers", "--trust-model", "--model", Fixtures.text("hostile/" + model))
                .assertRefused(model);
    }

    @Test
    void trustOpensWhatReachesOut() throws IOException {
        Ran listed = Ran.inProcess("layers", "--trust-model", "--model", Fixtures.text("hostile/prints.pt"), "--quiet");
        assertThat(listed.code()).as(listed.err()).isZero();
    }

    @ParameterizedTest
    @MethodSource("refused")
    void modelsThatCannotBeAttributed(Fixtures.Entry entry) throws IOException {
        // Some are refused only when they run, so the layer must be one of theirs.
        Ran listed = Ran.inProcess("layers", "--model", entry.file().toString(), "--format", "csv", "--quiet");
        String layer = listed.code() == 0 ? listed.out().lines().toList().get(1).replaceAll(",.*", "") : "any";
        refuse(
                List.of(
                        "--model",
                        entry.file().toString(),
                        "--data",
                        entry.data().toString(),
                        "--layer",
                        layer),
                refusal(entry));
    }

    /** A word of the reason, which must be this one and no other. */
    private static String refusal(Fixtures.Entry entry) {
        return switch (entry.model()) {
            case "refused-two-inputs" -> "there is no array for the model's input";
            case "refused-train-dropout" -> "at random";
            case "refused-train-batch-norm", "refused-batch-statistics" -> "statistics of the batch";
            case "refused-batch-mixing" -> "other samples";
            case "refused-attribute-count", "refused-buffer-count" -> "'calls'";
            default -> "positions";
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none.npz | does not exist",
                "broken/truncated.npz | truncated.npz",
                "broken/inputs-shape.npz | [",
                "broken/inputs-integer.npz | Long",
                "broken/inputs-missing.npz | there is no array 'x'; it holds",
                "broken/labels-missing.npz | there is no array 'y'; it holds",
                "broken/labels-float.npz | astype(np.int64)",
                "broken/labels-negative.npz | label",
                "broken/labels-out-of-range.npz | label",
                "broken/clusters-float.npz | astype(np.int64)",
                "broken/lengths-differ.npz | one per sample",
                "broken/no-samples.npz | 0 samples",
                "broken/not-finite.npz | in sample",
                "broken/objects.npz | np.asarray(",
                "broken/random.pt | no .npz",
                "broken/zip.pt | no array 'x'",
                "digits-mlp.scripted.pt | no array 'x'",
            })
    void data(String data, String part) throws IOException {
        refuse(List.of("--model", Fixtures.text(MLP), "--data", Fixtures.text(data), "--layer", "act1"), part);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2"})
    void labelsOutOfRangeInALaterBatch(String atOnce) throws IOException {
        Path file = new TestNpz()
                .floats("x", "(3, 64)", new float[3 * 64])
                .longs("y", "(3,)", 0, 9, 10)
                .write(directory.resolve("late.npz"));
        Path out = directory.resolve("out");
        Ran.inProcess(
                        "attribute",
                        "--model",
                        Fixtures.text(MLP),
                        "--data",
                        file.toString(),
                        "--layer",
                        firstLayer(),
                        "--batch-size",
                        "2",
                        "--batches-at-once",
                        atOnce,
                        "--out",
                        out.toString())
                .assertRefused("10", "sample 2");
        assertThat(out).doesNotExist();
    }

    @Test
    void inputsOfTheWrongType() throws IOException {
        Path file = new TestNpz()
                .array("x", "<f8", "(1, 64)", new byte[8 * 64])
                .longs("y", "(1,)", 0)
                .write(directory.resolve("double.npz"));
        refuse(List.of("--model", Fixtures.text(MLP), "--data", file.toString(), "--layer", firstLayer()), "ouble");
    }

    @Test
    void clustersOfAnotherName() throws IOException {
        refuse(
                mlp("--layer", firstLayer(), "--clusters", "group"),
                "no array 'group'; it holds x, y, cluster",
                "--clusters");
    }

    @Test
    void layersThatFitNothingListTheCandidates() throws IOException {
        refuse(mlp("--layer", "nothing"), "nothing", firstLayer());
        refuse(mlp("--layer", firstLayer() + "@7"), firstLayer() + "@7", "0");
    }

    @Test
    void targetsBeyondTheOutputs() throws IOException {
        refuse(mlp("--layer", firstLayer(), "--target", "10"), "10");
    }

    @Test
    void devicesThatAreNotThere() throws IOException {
        refuse(mlp("--layer", firstLayer(), "--device", "cuda:99"), "cuda:99");
    }

    @Test
    void outputDirectoriesThatCannotBeWritten() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "mine");
        for (Path out : List.of(file, file.resolve("below"), Path.of("/proc/none"))) {
            List<String> arguments = new ArrayList<>(List.of("attribute", "--out", out.toString()));
            // A model that does not exist shows that nothing was computed before.
            arguments.addAll(List.of("--model", "none.pt", "--data", Fixtures.text(DIGITS), "--layer", "act1"));
            Ran.inProcess(arguments.toArray(String[]::new)).assertRefused(out.toString(), "give another --out");
        }
        assertThat(file).hasContent("mine");
    }

    @Test
    void modelsWithPathsOnSeveralLinesStayOneLine() {
        Ran.inProcess("layers", "--model", "no\nsuch\nmodel.pt").assertRefused("no\\x0asuch\\x0amodel.pt");
    }

    private static String firstLayer() {
        return Fixtures.rows(Fixtures.path("golden/digits-mlp.layers.csv"))
                .findFirst()
                .orElseThrow()[0];
    }

    private static List<String> mlp(String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("--model", Fixtures.text(MLP), "--data", Fixtures.text(DIGITS)));
        arguments.addAll(List.of(more));
        return arguments;
    }

    private void refuse(List<String> options, String... parts) throws IOException {
        List<String> before = files();
        List<String> arguments = new ArrayList<>(List.of("attribute"));
        arguments.addAll(options);
        arguments.addAll(List.of("--out", directory.resolve("a/out").toString()));
        Ran.inProcess(arguments.toArray(String[]::new)).assertRefused(parts);
        assertThat(files()).isEqualTo(before);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            return paths.map(Path::toString).sorted().toList();
        }
    }
}
