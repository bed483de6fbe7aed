package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.pregrad.LayerCheck;

/** The results of {@code pregrad check} as it prints them. */
public final class CheckReport {
    private static final String NONE = "-";

    private CheckReport() {}

    /** How they are printed. */
    public enum Format {
        TABLE,
        JSON;

        /** As users write it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A result in JSON; null is what there is not. */
    private record Entry(
            String layer,
            long call,
            String op,
            @JsonProperty("in_double_precision") boolean inDoublePrecision,
            long samples,
            long neurons,
            long compared,
            @JsonProperty("at_kink") long atKink,
            @JsonProperty("gradient_error") Double gradientError,
            double tolerance,
            boolean passed,
            @JsonProperty("hook_error") Double hookError,
            @JsonProperty("hook_differs") Double hookDiffers,
            Double cancellation,
            String verdict) {}

    public static String text(List<LayerCheck> checks, Format format) throws IOException {
        return switch (format) {
            case TABLE -> table(checks);
            case JSON -> Json.text(checks.stream().map(CheckReport::entry).toList());
        };
    }

    private static String table(List<LayerCheck> checks) {
        Table table = new Table(
                "lllrrrrrrrl",
                List.of(
                        "layer",
                        "op",
                        "numbers",
                        "samples",
                        "neurons",
                        "compared",
                        "at kinks",
                        "error",
                        "hook error",
                        "cancellation",
                        "result"));
        checks.forEach(check -> table.add(List.of(
                check.layer() + "@" + check.call(),
                check.op(),
                Verdict.precision(check),
                Long.toString(check.samples()),
                Long.toString(check.neurons()),
                Long.toString(check.compared()),
                Long.toString(check.atKink()),
                number(check.gradientError()),
                number(check.hookError()),
                number(check.cancellation()),
                check.passed() ? "passed" : "FAILED")));
        StringBuilder text = new StringBuilder(table.render()).append('\n');
        checks.forEach(check -> text.append(Verdict.of(check)).append('\n'));
        return text.toString();
    }

    private static String number(double value) {
        return Double.isNaN(value) ? NONE : Verdict.number(value);
    }

    private static Entry entry(LayerCheck check) {
        return new Entry(
                check.layer(),
                check.call(),
                check.op(),
                check.inDoublePrecision(),
                check.samples(),
                check.neurons(),
                check.compared(),
                check.atKink(),
                Json.orNull(check.gradientError()),
                check.tolerance(),
                check.passed(),
                Json.orNull(check.hookError()),
                Json.orNull(check.hookDiffers()),
                Json.orNull(check.cancellation()),
                Verdict.of(check));
    }
}
