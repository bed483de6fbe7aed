package org.pregrad.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.pregrad.Inputs;
import org.pregrad.Layer;
import org.pregrad.LayerException;
import org.pregrad.Model;
import org.pregrad.ModelInput;
import org.pregrad.PreGradException;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.InputsOption;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.QuietOption;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.output.LayerList;
import org.pregrad.cli.output.ModelTable;
import org.pregrad.cli.run.ReadOutput;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code pregrad layers}. */
@Command(
        name = "layers",
        customSynopsis = {
            "pregrad layers --model M.pt [--data D.npz | --input-shape 1,3,64,64]",
            "                      [--layer NAME[@CALL]... | --all] [--format table|csv|json] [OPTIONS]"
        },
        description = "List the activations of a model: the names that --layer of the other commands takes. Besides"
                + " these it takes NAME:in and NAME:out, what enters and leaves a module, input:NAME for an input of the"
                + " model, * for any part of a name, and all for every activation.",
        footer = {
            "With --data or --input-shape the model runs once, on the first batch or on zeros, and each call is listed"
                    + " in the order in which it runs, with its neurons and shape. Without them the listing shows what the"
                    + " file alone tells. The table also tells what the model takes and, with --data, what it returns.",
            "",
            "Examples:",
            "  pregrad layers --model digits-cnn.pt --data digits.npz",
            "  pregrad layers --model resnet18.pt --input-shape 1,3,64,64 --format csv",
            "  pregrad layers --model bert.pt2 --data tokens.npz --layer '*.mlp.down_proj:in'"
        })
final class LayersCommand implements Callable<Integer> {
    private static final String INPUTS = "input:*";

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--data",
            paramLabel = "D.npz",
            description = "Samples as numpy.savez or numpy.save writes them; the first batch is run.")
    private Path data;

    @Mixin
    private InputsOption inputs;

    @Option(
            names = "--input-shape",
            paramLabel = "N,...",
            converter = InputShape.Converter.class,
            description = "The shape of an input of zeros to run, samples first, e.g. 1,3,64,64.")
    private InputShape shape;

    @Option(
            names = "--layer",
            arity = "1..*",
            paramLabel = "NAME[@CALL]",
            converter = Choices.Layers.class,
            description = "List these layers only, as --layer of the other commands takes them.")
    private List<String> names;

    @Option(names = "--all", description = "List the inputs (input:NAME) and what leaves each module (NAME:out), too.")
    private boolean all;

    @Option(
            names = "--format",
            defaultValue = "table",
            paramLabel = "FORMAT",
            description = "How the layers are printed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private LayerList.Format format;

    @Mixin
    private BatchOption batch;

    @Mixin
    private QuietOption quiet;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        checkOptions();
        try (Model loaded = model.load()) {
            List<Layer> layers = data == null ? list(loaded) : listOfData(loaded);
            Optional<ReadOutput> output = output(loaded);
            PrintWriter out = spec.commandLine().getOut();
            out.print(LayerList.text(layers, format));
            if (format == LayerList.Format.TABLE) {
                out.print(ModelTable.inputs(loaded.inputs()));
                output.ifPresent(known -> out.print(ModelTable.outputs(known.shapes())));
            }
            if (!out.checkError()) {
                hints(loaded, output);
            }
        }
        return 0;
    }

    /** What the model returns, if that is to be told and can be. */
    private Optional<ReadOutput> output(Model loaded) throws IOException {
        if (data == null || (format != LayerList.Format.TABLE && quiet.isSet())) {
            return Optional.empty();
        }
        try {
            return Optional.of(ReadOutput.of(loaded, () -> open(loaded), batch.size(), null));
        } catch (PreGradException e) {
            // The layers are what was asked for, and they are known.
            return Optional.empty();
        }
    }

    /** What the other commands would refuse without more options, before they do. */
    private void hints(Model loaded, Optional<ReadOutput> output) {
        if (data == null && shape == null) {
            quiet.hint("give --data or --input-shape to see neurons, shapes and every call");
        }
        List<String> needed = needed(loaded);
        if (data == null && needed.size() > 1) {
            quiet.hint("the model takes several inputs (" + String.join(", ", needed) + "): the other commands need an"
                    + " array of each name in --data, or --inputs " + needed.get(0) + "=ARRAY,...");
        }
        output.flatMap(ReadOutput::hint).ifPresent(quiet::hint);
    }

    private void checkOptions() {
        if (data != null && shape != null) {
            throw new ParameterException(
                    spec.commandLine(), "--data and --input-shape exclude each other: give one of them");
        }
        if (all && names != null) {
            throw new ParameterException(spec.commandLine(), "--all and --layer exclude each other: give one of them");
        }
        if ((all || names != null) && data == null && shape == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    (all ? "--all" : "--layer") + " runs the model once: give --data or --input-shape too");
        }
        if (data == null && inputs.given()) {
            throw new ParameterException(
                    spec.commandLine(), "--inputs and --shared are of arrays of --data: give --data too");
        }
    }

    private List<Layer> list(Model loaded) {
        if (shape == null) {
            return loaded.layers();
        }
        List<String> needed = needed(loaded);
        if (needed.size() > 1) {
            throw new UserException("--input-shape is the shape of one input, and the model takes "
                    + String.join(", ", needed) + "; give --data");
        }
        long[] sizes = shape.sizes().stream().mapToLong(Long::longValue).toArray();
        List<String> wanted = wanted(loaded);
        return listed(wanted, wanted.isEmpty() ? names -> loaded.layers(sizes) : names -> loaded.layers(names, sizes));
    }

    /** The names of inputs that may not be left out. */
    private static List<String> needed(Model loaded) {
        return loaded.inputs().stream()
                .filter(input -> !input.optional())
                .map(ModelInput::name)
                .toList();
    }

    private List<Layer> listOfData(Model loaded) throws IOException {
        try (Dataset samples = open(loaded)) {
            samples.checkBatchSize(batch.size());
            Inputs example = samples.next(batch.size()).inputs();
            List<String> wanted = wanted(loaded);
            return listed(
                    wanted,
                    wanted.isEmpty() ? names -> loaded.layers(example) : names -> loaded.layers(names, example));
        }
    }

    /** The layers of these names; with {@code --all} without the inputs, where none of them is a layer. */
    private List<Layer> listed(List<String> wanted, Function<List<String>, List<Layer>> list) {
        if (!all) {
            return list.apply(wanted);
        }
        try {
            List<String> withInputs = new ArrayList<>(wanted);
            withInputs.add(0, INPUTS);
            return list.apply(withInputs);
        } catch (LayerException e) {
            return list.apply(wanted);
        }
    }

    private Dataset open(Model loaded) {
        return Dataset.open(data, ArrayNames.inputsOnly(inputs.names(null)), loaded.inputs());
    }

    /** The names of layers to list; none for the activations. */
    private List<String> wanted(Model loaded) {
        if (all) {
            return loaded.layers().isEmpty() ? List.of("*:out") : List.of("all", "*:out");
        }
        return names == null ? List.of() : Choices.distinct(names);
    }

    /** The shape of a model's input, samples first. */
    private record InputShape(List<Long> sizes) {
        private static final Pattern TEXT = Pattern.compile("[1-9]\\d{0,8}(,[1-9]\\d{0,8})*");

        /** Reads a shape such as {@code 1,3,64,64}. */
        static final class Converter implements ITypeConverter<InputShape> {
            @Override
            public InputShape convert(String text) {
                if (!TEXT.matcher(text).matches()) {
                    throw new TypeConversionException("'" + text
                            + "' is no shape; give sizes of 1 or more with the samples first, as in 1,3,64,64");
                }
                return new InputShape(
                        Arrays.stream(text.split(",")).map(Long::valueOf).toList());
            }
        }
    }
}
