package org.pregrad.cli.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.pregrad.Ablation;
import org.pregrad.Model;
import org.pregrad.NeuronConstants;
import org.pregrad.Removal;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;
import org.pregrad.cli.options.TargetOptions;
import org.pregrad.cli.progress.Progress;

/**
 * Measures removal curves unit by unit.
 *
 * @param means of activations; may be empty unless neurons are set to their mean
 */
public record CurveRun(Model model, Removal removal, List<NeuronConstants> means, TargetOptions target) {
    /** One curve per order, in their order; {@code checkpoints} gives that of the unit of a name. */
    public List<RemovalCurve> measure(
            List<CurveUnit> units, Samples samples, Function<String, Checkpoint> checkpoints, Progress progress)
            throws IOException, InterruptedException {
        List<RemovalCurve> curves = new ArrayList<>();
        for (int unit = 0; unit < units.size(); unit++) {
            try (Ablation ablation = open(units.get(unit))) {
                samples.passOver(Accumulator.of(ablation), checkpoints.apply("curves-" + unit), progress);
                curves.addAll(ablation.curves());
            }
        }
        return curves;
    }

    private Ablation open(CurveUnit unit) {
        return target.applyTo(model.ablation())
                .orders(unit.orders())
                .removal(removal)
                .means(meansOf(unit.first()))
                .open();
    }

    private List<NeuronConstants> meansOf(RemovalOrder order) {
        return means.stream()
                .filter(mean -> mean.layer().equals(order.layer())
                        && mean.call() == order.call()
                        && mean.cluster().orElse(order.cluster()) == order.cluster())
                .toList();
    }
}
