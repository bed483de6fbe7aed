package org.pregrad.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;
import org.pregrad.cli.output.AblationSummary;
import org.pregrad.cli.output.FileDigest;
import org.pregrad.cli.output.RunKey;
import org.pregrad.cli.output.Summary;

/**
 * What the results of {@code ablate} are of.
 *
 * @param arguments  of the command, word for word
 * @param options    with their values
 * @param scoreData  null if the data itself was scored
 * @param samples    how many the data has
 */
record AblationOrigin(
        List<String> arguments,
        Map<String, Object> options,
        FileDigest model,
        FileDigest data,
        FileDigest scoreData,
        long samples) {

    /** All that decides the results; how the files were named does not. */
    RunKey key() {
        Map<String, Object> deciding = new LinkedHashMap<>(options);
        // The number of threads may show in the last bits.
        deciding.computeIfAbsent("threads", name -> Runtime.getRuntime().availableProcessors());
        Map<String, FileDigest> files = new LinkedHashMap<>();
        files.put("model", model);
        files.put("data", data);
        files.put("score_data", scoreData);
        return new RunKey(Versions.byName(), deciding, files);
    }

    AblationSummary summary(AblationRun.Results results, List<Aggregate> aggregates) {
        Summary run = new Summary(
                Versions.byName(),
                ShellWords.line("pregrad", arguments),
                arguments,
                options,
                model,
                data,
                samples,
                Summary.entries(results.scores(), aggregates));
        return new AblationSummary(run, scoreData, results.areas());
    }
}
