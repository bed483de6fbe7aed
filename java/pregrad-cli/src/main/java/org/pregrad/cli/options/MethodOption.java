package org.pregrad.cli.options;

import java.util.List;
import org.pregrad.Method;
import picocli.CommandLine.Option;

/** What is computed per sample and neuron. */
public final class MethodOption {
    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            defaultValue = "gradient",
            paramLabel = "METHOD",
            completionCandidates = Candidates.Methods.class,
            converter = Converters.ToMethod.class,
            description =
                    "What is computed per sample and neuron: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). May"
                            + " be repeated.")
    private List<Method> methods;

    /** The methods, each once. */
    public List<Method> methods() {
        return Distinct.of(methods);
    }
}
