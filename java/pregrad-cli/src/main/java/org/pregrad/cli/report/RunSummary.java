package org.pregrad.cli.report;

import org.pregrad.cli.output.ClusterNames;
import java.util.List;
import java.util.Map;

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
 * @param clusters  what they are called
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
        List<Area> areas,
        ClusterNames clusters) {

    /** @param role what the file was to the run */
    record File(String role, String file, long bytes, String sha256) {}

    /** @param completenessError relative; NaN where the method has none */
    record Score(PanelKey panel, String method, long neurons, double completenessError) {}

    /**
     * The area under a removal curve.
     *
     * @param area            lower is better
     * @param randomArea      the mean over the random orders
     * @param randomAreaStd   their standard deviation
     * @param rankCorrelation with the oracle's scores; NaN where undefined
     */
    record Area(
            PanelKey panel,
            String method,
            String aggregate,
            double area,
            double randomArea,
            double randomAreaStd,
            double rankCorrelation) {}
}
