package org.pregrad.cli.options;

import java.util.ArrayList;
import java.util.List;
import org.pregrad.Method;
import org.pregrad.Removal;
import picocli.CommandLine.Option;

/** Which methods' orders of removal are compared with random ones and the oracle's. */
public final class ComparedMethodsOption {
    @Option(
            names = "--method",
            arity = "1..*",
            split = ",",
            paramLabel = "METHOD",
            completionCandidates = Candidates.Methods.class,
            converter = Converters.ToMethod.class,
            description = "Whose orders of removal are measured: ${COMPLETION-CANDIDATES} (default: gradient,"
                    + "gradient-x-activation,activation, and gradient-x-centred-activation with --removal mean). May be"
                    + " repeated; ablation, the oracle, and random are always measured too.")
    private List<Method> methods;

    /** The methods, each once; the default is that for this removal. */
    public List<Method> methods(Removal removal) {
        if (methods != null) {
            return Distinct.of(methods);
        }
        List<Method> defaults = new ArrayList<>(List.of(Method.GRADIENT, Method.GRADIENT_X_ACTIVATION));
        if (removal == Removal.MEAN) {
            defaults.add(Method.GRADIENT_X_CENTRED_ACTIVATION);
        }
        defaults.add(Method.ACTIVATION);
        return List.copyOf(defaults);
    }
}
