package org.pregrad.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.pregrad.Escapes;
import org.pregrad.LayerCheck;

/** What became of a layer's check, in words. */
final class Verdict {
    private static final int PERCENT = 100;

    private Verdict() {}

    static String of(LayerCheck check) {
        List<String> sentences = new ArrayList<>();
        sentences.add(gradient(check));
        hook(check, sentences);
        if (!Double.isNaN(check.cancellation())) {
            sentences.add("Signed means cancel to " + number(check.cancellation()) + " of the mean magnitude.");
        }
        return Escapes.escaped(check.layer()) + "@" + check.call() + ": " + String.join(" ", sentences);
    }

    /** The numbers that the model was run in. */
    static String precision(LayerCheck check) {
        return check.inDoublePrecision() ? "float64" : "float32";
    }

    static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4 ? "%.3g" : "%.1e", value);
    }

    private static String gradient(LayerCheck check) {
        if (check.compared() == 0) {
            return "FAILED: nothing was left to compare, all " + count(check.atKink())
                    + " units lie at a kink of the model; check other samples by --data or more by --samples.";
        }
        String kinks = check.atKink() == 0 ? "" : ", " + count(check.atKink()) + " at a kink left out";
        String units = " (" + precision(check) + ", " + count(check.compared()) + " units" + kinks + ").";
        if (check.passed()) {
            return "∂y/∂z agrees with finite differences to " + number(check.gradientError()) + units;
        }
        return "FAILED: ∂y/∂z disagrees with finite differences, relative error " + number(check.gradientError())
                + " where " + number(check.tolerance()) + " is allowed" + units
                + " Look for detach, no_grad or a gradient of its own between this layer and the output.";
    }

    private static void hook(LayerCheck check, List<String> sentences) {
        if (Double.isNaN(check.hookDiffers())) {
            return;
        }
        String returned = "A backward hook on this activation would return ∂y/∂a: ";
        if (check.hookDiffers() == 0) {
            sentences.add(returned + "no unit differs here.");
            return;
        }
        String error = Double.isNaN(check.hookError()) ? "" : ", relative error " + number(check.hookError());
        sentences.add(returned + percent(check.hookDiffers()) + " of units differ" + error + ".");
    }

    /** Whole percents, but never 0% of something. */
    private static String percent(double share) {
        String format = share * PERCENT < 1 ? "%.2g%%" : "%.0f%%";
        return String.format(Locale.ROOT, format, share * PERCENT);
    }

    private static String count(long units) {
        return String.format(Locale.ROOT, "%,d", units);
    }
}
