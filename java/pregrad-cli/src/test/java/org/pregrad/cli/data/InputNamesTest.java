package org.pregrad.cli.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pregrad.ModelInput;
import org.pregrad.cli.data.InputNames.Entry;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.TestNpz;

/** Which array goes into which input. Inputs are written as their names, optional ones with a question mark behind. */
class InputNamesTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // inputs | arrays | --inputs | what goes where
                "x | x y | - | =x",
                "images | x y | - | =x",
                "images | images y | - | =images",
                "images | images x | - | =x",
                "images | y | - | =x",
                "images | x pixels | pixels | =pixels",
                "images | x pixels | images=pixels | =pixels",
                "'' | x | - | =x",
                "x side | x side y | - | x=x side=side",
                "ids mask | tokens mask y | ids=tokens,mask | ids=tokens mask=mask",
                "ids mask? | ids y | - | ids=ids",
                "ids mask? | ids mask | - | ids=ids mask=mask",
                "ids mask? | x mask | - | ids=x mask=mask",
                "ids mask? | tokens | tokens | ids=tokens",
                "ids x? | ids x | - | ids=ids x=x",
                "batch.* | batch.user batch.item y | - | batch.user=batch.user batch.item=batch.item",
                "batch.* | u y | batch.user=u | batch.user=u",
                "x states.* | x states.0 states.1 | - | x=x states.0=states.0 states.1=states.1",
            })
    void findsTheArrayOfEachInput(String inputs, String arrays, String given, String expected) throws IOException {
        assertThat(bound(inputs, arrays, names(given)).stream().map(bound -> bound.input() + "=" + bound.array()))
                .containsExactly(expected.split(" ", -1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "x side | x y | - | there is no array for the model's input 'side'; it holds x, y; name one by --inputs"
                        + " side=ARRAY",
                "x side | x side y | x | there is no array for the model's input 'side'",
                "x side | x side | x,sid | the model has no input 'sid'; it has x, side: give --inputs INPUT=sid",
                "x | x | z=x | the model has no input 'z'; it has x",
                "x | x y | x,y | two arrays for the model's input 'x'",
                "batch.* | y | - | no array for the model's input 'batch.*'",
                "batch.* | batch. | - | no array for the model's input 'batch.*'",
            })
    void saysWhatIsMissing(String inputs, String arrays, String given, String message) {
        assertThatThrownBy(() -> bound(inputs, arrays, names(given)))
                .isInstanceOf(UserException.class)
                .hasMessageContaining(message);
    }

    @Test
    void knowsWhatIsSharedByInputOrArray() throws IOException {
        for (String name : List.of("edges", "adjacency")) {
            InputNames names = new InputNames(names("x,edges=adjacency").entries(), List.of(name), null);
            assertThat(bound("x edges", "x adjacency", names).stream().map(InputNames.Bound::shared))
                    .containsExactly(false, true);
        }
        assertThatThrownBy(() -> bound("x side", "x side", new InputNames(List.of(), List.of("edges"), null)))
                .hasMessageContaining("--shared names 'edges', which is no input that is given; those are x, side");
        assertThatThrownBy(() -> bound("x side", "x side", new InputNames(List.of(), List.of("x", "side"), null)))
                .hasMessageContaining("--shared names every input");
    }

    @Test
    void namesTheOnlyInputWhereAMaskStandsBesideIt() throws IOException {
        InputNames masked = new InputNames(List.of(), List.of(), "counts");
        assertThat(bound("images", "x counts", masked)).containsExactly(new InputNames.Bound("images", "x", false));
    }

    private static InputNames names(String given) {
        List<Entry> entries = given == null
                ? List.of()
                : Stream.of(given.split(",", -1))
                        .map(text -> text.split("=", -1))
                        .map(parts -> new Entry(parts.length == 1 ? null : parts[0], parts[parts.length - 1]))
                        .toList();
        return new InputNames(entries, List.of(), null);
    }

    private List<InputNames.Bound> bound(String inputs, String arrays, InputNames names) throws IOException {
        List<ModelInput> model = Arrays.stream(inputs.split(" ", -1))
                .filter(name -> !name.isEmpty())
                .map(name -> new ModelInput(name.replace("?", ""), "", List.of(), name.endsWith("?")))
                .toList();
        TestNpz npz = new TestNpz();
        for (String array : arrays.split(" ", -1)) {
            npz.floats(array, "(1,)", 1);
        }
        names.requireInputsOf(model);
        try (ArrayFile file = ArrayFile.open(npz.write(directory.resolve("d.npz")))) {
            return names.bind(model, file);
        }
    }
}
