package org.pregrad.cli.report;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;

/**
 * What {@code summary.json} tells of a run.
 *
 * @param versions  by name
 * @param command   as it can be pasted into a shell
 * @param options   all options with their values as text
 * @param ranked    by which aggregates neurons were ranked; empty if it does not tell
 * @param files     what was read
 * @param samples   how many samples were run
 * @param scores    one per layer, call, cluster and method
 * @param hasCurves whether neurons were removed
 * @param areas     one per layer, call, cluster, method and aggregate; empty without curves
 */
record RunSummary(
        Map<String, String> versions,
        String command,
        Map<String, String> options,
        List<String> ranked,
        List<File> files,
        long samples,
        List<Score> scores,
        boolean hasCurves,
        List<Area> areas) {

    /** The aggregates that neurons are ranked by, or all if the summary names none. */
    List<String> aggregates() {
        List<String> all = Arrays.stream(Aggregate.values()).map(Aggregate::id).toList();
        List<String> known = all.stream().filter(ranked::contains).toList();
        return known.isEmpty() ? all : known;
    }

    /** The cluster that scores.csv compares the others with; null if it compares none. */
    String against() {
        String against = options.get("against");
        return "none".equals(against) ? null : against;
    }

    /** The data that was scored. */
    File scored() {
        return files.get(files.size() - 1);
    }

    /** The array of the data that went into the model, the first of several. */
    String input() {
        String first = options.getOrDefault("inputs", "x").split(", ", 2)[0];
        return first.substring(first.indexOf('=') + 1);
    }

    /** What it tells of this part of the run. */
    RunSummary of(Report.Part part) {
        return new RunSummary(
                versions,
                command,
                options,
                ranked,
                files,
                samples,
                scores.stream()
                        .filter(score -> part.has(score.panel(), score.method()))
                        .toList(),
                hasCurves,
                areas.stream()
                        .filter(area -> part.hasCurve(area.panel(), area.method()))
                        .toList());
    }

    /** @param role what the file was to the run */
    record File(String role, String file, long bytes, String sha256) {}

    /** @param completenessError relative; NaN where the method has none */
    record Score(PanelKey panel, String method, long neurons, double completenessError) {}

    /**
     * The area under a removal curve.
     *
     * @param keep            whether the first neurons are kept and the others removed, rather than the reverse
     * @param area            lower is better, but for keep, where higher is
     * @param areaError       its standard error; NaN where it was not measured
     * @param randomArea      the mean over the random orders
     * @param randomAreaStd   their standard deviation
     * @param rankCorrelation with the oracle's scores; NaN where undefined
     */
    record Area(
            PanelKey panel,
            String method,
            String aggregate,
            boolean keep,
            double area,
            double areaError,
            double randomArea,
            double randomAreaStd,
            double rankCorrelation) {}
}
