package org.pregrad.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.cli.data.ArrayNames;
import org.pregrad.cli.options.BatchOption;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.PathOptions;
import org.pregrad.cli.options.ScoreOptions;

/** The options of a run with their values, as summaries tell them. */
final class RunOptions {
    private RunOptions() {}

    static Map<String, Object> of(
            ModelOptions model,
            ArrayNames read,
            ScoreOptions wanted,
            List<Method> methods,
            PathOptions paths,
            BatchOption batch) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("layers", wanted.layers());
        options.put("methods", methods.stream().map(Method::id).toList());
        options.put("target", wanted.target().toString());
        options.put("output", wanted.output().id());
        options.put("inputs", read.inputs());
        options.put("labels", read.labels());
        options.put("clusters", read.clusters());
        options.put(
                "aggregates", wanted.aggregates().stream().map(Aggregate::id).toList());
        options.put("steps", paths.steps());
        options.put("rule", paths.rule().id());
        options.put("baseline", paths.baseline().described());
        options.put("input_baseline", paths.inputBaseline().described());
        options.put("removal", paths.removal().id());
        options.put("seed", paths.seed());
        options.put("batch_size", batch.size());
        options.put("device", model.device().toString());
        options.put("cuda_graphs", wanted.cudaGraphs());
        options.put("threads", model.threads());
        return options;
    }
}
