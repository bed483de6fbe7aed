package org.pregrad.cli.options;

import java.util.List;
import picocli.CommandLine.Option;

/** Which layers a command looks at. */
public final class LayersOption {
    @Option(
            names = "--layer",
            required = true,
            arity = "1..*",
            paramLabel = "NAME[@CALL]",
            converter = Choices.Layers.class,
            description = "A layer: its name for all its calls, name@call for one (pregrad layers lists them); NAME:in"
                    + " and NAME:out are what enters and leaves a module, input:NAME is an input of the model, * stands"
                    + " for any part of a name, all for every activation. May be repeated.")
    private List<String> layers;

    /** The names, each once. */
    public List<String> names() {
        return Choices.distinct(layers);
    }
}
