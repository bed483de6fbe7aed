package org.pregrad.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.Scores;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.SampleOptions;
import org.pregrad.cli.options.ScoreOptions;
import org.pregrad.cli.output.FileDigest;
import org.pregrad.cli.output.Summary;
import picocli.CommandLine;

/** What {@code attribute} writes into its summary. */
final class AttributeSummary {
    private AttributeSummary() {}

    static Summary of(
            CommandLine command,
            ModelOptions model,
            SampleOptions data,
            ScoreOptions wanted,
            BatchOption batch,
            Dataset samples,
            Scores scores) {
        List<String> arguments = ShellWords.arguments(command);
        return new Summary(
                Versions.byName(),
                ShellWords.line("pregrad", arguments),
                arguments,
                options(model, samples.read(), wanted, batch),
                FileDigest.of(model.file()),
                FileDigest.of(data.file()),
                samples.samples(),
                Summary.entries(scores, wanted.aggregates()));
    }

    private static Map<String, Object> options(
            ModelOptions model, ArrayNames read, ScoreOptions wanted, BatchOption batch) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("layers", wanted.layers());
        options.put("methods", wanted.methods().stream().map(Method::id).collect(Collectors.toList()));
        options.put("target", wanted.target().toString());
        options.put("output", wanted.output().id());
        options.put("inputs", read.inputs());
        options.put("labels", read.labels());
        options.put("clusters", read.clusters());
        options.put(
                "aggregates", wanted.aggregates().stream().map(Aggregate::id).collect(Collectors.toList()));
        options.put("batch_size", batch.size());
        options.put("device", model.device().toString());
        options.put("threads", model.threads());
        return options;
    }
}
