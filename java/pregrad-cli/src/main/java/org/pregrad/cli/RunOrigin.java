package org.pregrad.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.Positions;
import org.pregrad.Scores;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.output.FileDigest;
import org.pregrad.cli.output.RunKey;
import org.pregrad.cli.output.Summary;
import picocli.CommandLine;

/**
 * What the results of a run are of.
 *
 * @param arguments  of the command, word for word
 * @param options    with their values
 * @param scoreData  null if the data itself was scored
 * @param samples    how many the data has
 */
record RunOrigin(
        List<String> arguments,
        Map<String, Object> options,
        FileDigest model,
        FileDigest data,
        FileDigest scoreData,
        long samples) {
    private static final Pattern PLAIN = Pattern.compile("[\\w@%+=:,./-]+");

    /** @param scoreData null if the data itself is scored */
    static RunOrigin of(
            CommandLine subcommand, Map<String, Object> options, Path model, Path data, Path scoreData, long samples) {
        return new RunOrigin(
                subcommand.getParent().getParseResult().originalArgs(),
                options,
                FileDigest.of(model),
                FileDigest.of(data),
                scoreData == null ? null : FileDigest.of(scoreData),
                samples);
    }

    /**
     * The options of a run with their values, as summaries tell them.
     *
     * @param read the names of the arrays that are read
     */
    static Map<String, Object> options(
            ModelOptions model,
            Map<String, Object> read,
            ScoreOptions wanted,
            List<Method> methods,
            PathOptions paths,
            int batchSize) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("layers", wanted.layers());
        options.put("methods", methods.stream().map(Method::id).toList());
        options.putAll(wanted.target().described());
        options.putAll(read);
        options.put(
                "aggregates", wanted.aggregates().stream().map(Aggregate::id).toList());
        options.putAll(paths(paths));
        options.putAll(paths.described(methods));
        if (wanted.positions() != Positions.TOGETHER) {
            options.put("positions", wanted.positions().id());
        }
        options.put("batch_size", batchSize);
        options.put("device", model.device().toString());
        options.put("cuda_graphs", wanted.cudaGraphs());
        options.put("threads", model.threads());
        return options;
    }

    /** What the path methods, the removal of neurons and chance are told. */
    static Map<String, Object> paths(PathOptions paths) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("steps", paths.steps());
        options.put("rule", paths.rule().id());
        options.put("baseline", paths.baseline().described());
        options.put("input_baseline", paths.inputBaseline().described());
        options.put("removal", paths.removal().id());
        options.put("seed", paths.seed());
        return options;
    }

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

    Summary summary(Scores scores, List<Aggregate> aggregates) {
        return summary(Summary.entries(scores, aggregates));
    }

    /** @param scores may be empty */
    Summary summary(List<Summary.Entry> scores) {
        return new Summary(
                Versions.byName(), shellLine("pregrad", arguments), arguments, options, model, data, samples, scores);
    }

    /** Of a run that explained single samples. */
    Summary.OfExplanation explanation() {
        return new Summary.OfExplanation(
                Versions.byName(), shellLine("pregrad", arguments), arguments, options, model, data, samples);
    }

    /** The command line as it can be pasted into a shell. */
    private static String shellLine(String name, List<String> arguments) {
        return Stream.concat(Stream.of(name), arguments.stream())
                .map(RunOrigin::quoted)
                .collect(Collectors.joining(" "));
    }

    private static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
