package org.pregrad.cli.options;

import java.util.List;
import org.pregrad.Escapes;
import org.pregrad.cli.data.InputNames;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which arrays of the data are the model's inputs. */
public final class InputsOption {
    @Option(
            names = "--inputs",
            split = ",",
            paramLabel = "[INPUT=]ARRAY",
            converter = EntryConverter.class,
            description =
                    "The arrays of inputs in the data, samples first, each with the model's name of it unless they"
                            + " are the same (default: for a model of one input " + InputNames.DEFAULT
                            + " or the array of the"
                            + " input's name, else all arrays of inputs' names; pregrad layers lists inputs).")
    private List<InputNames.Entry> inputs = List.of();

    @Option(
            names = "--shared",
            split = ",",
            paramLabel = "INPUT",
            description = "Inputs without a batch axis, given whole with every batch: an adjacency, a vocabulary.")
    private List<String> shared = List.of();

    /** @param mask the input or array that tells which positions count; null if all do */
    public InputNames names(String mask) {
        return new InputNames(List.copyOf(inputs), Choices.distinct(shared), mask);
    }

    /** Whether the user named any. */
    public boolean given() {
        return !inputs.isEmpty() || !shared.isEmpty();
    }

    /** Reads {@code ARRAY} or {@code INPUT=ARRAY}. */
    static final class EntryConverter implements ITypeConverter<InputNames.Entry> {
        @Override
        public InputNames.Entry convert(String text) {
            int equals = text.indexOf('=');
            if (text.isEmpty() || equals == 0 || equals == text.length() - 1) {
                throw new TypeConversionException("'" + text + "' is neither ARRAY nor INPUT=ARRAY");
            }
            String array = Escapes.unescaped(text.substring(equals + 1));
            return equals < 0
                    ? new InputNames.Entry(null, array)
                    : new InputNames.Entry(Escapes.unescaped(text.substring(0, equals)), array);
        }
    }
}
