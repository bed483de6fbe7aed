package org.pregrad.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.pregrad.Check;
import org.pregrad.LayerCheck;
import org.pregrad.Model;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.data.Dataset;
import org.pregrad.cli.errors.ErrorLine;
import org.pregrad.cli.options.Choices;
import org.pregrad.cli.options.DataOptions;
import org.pregrad.cli.options.LayersOption;
import org.pregrad.cli.options.ModelOptions;
import org.pregrad.cli.options.StandardOptions;
import org.pregrad.cli.options.TargetOptions;
import org.pregrad.cli.output.CheckReport;
import org.pregrad.cli.run.ReadOutput;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pregrad check}. */
@Command(
        name = "check",
        customSynopsis = {
            "pregrad check --model M.pt --data D.npz --layer NAME[@CALL]...",
            "                     [--samples 64] [--neurons 128] [--format table|json]",
            "                     [OPTIONS]"
        },
        description = "Prove the gradients of one or more layers: compare them with finite differences of the model.",
        footer = {
            "The pre-activation of each neuron is shifted by a little to either side, and the difference of the outputs"
                    + " compared with the gradient. Also told: by how much a backward hook on the activation would be"
                    + " wrong, and how much of the gradients' mean cancels.",
            "",
            "Examples:",
            "  pregrad check --model cnn.pt --data digits.npz --layer relu",
            "  pregrad check --model cnn.pt --data digits.npz --layer relu@1 conv1 \\",
            "      --samples 16 --format json"
        },
        exitCodeList = {
            "0:every layer passed",
            "1:a layer failed, and its verdict says why; or a failure of PreGrad itself",
            "2:bad usage or bad input: one line on stderr says what is wrong and how to mend it",
            "130:interrupted by Ctrl-C",
            "141:whoever reads standard output has gone"
        })
final class CheckCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Mixin
    private DataOptions data;

    @Mixin
    private LayersOption layers;

    @Mixin
    private TargetOptions target;

    @Option(
            names = "--samples",
            defaultValue = "64",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many samples are checked, the first of the data (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Option(
            names = "--neurons",
            defaultValue = "128",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many neurons of a layer are checked at most, evenly spaced (default:"
                    + " ${DEFAULT-VALUE}); each takes two runs of the model behind the layer.")
    private int neurons;

    @Option(
            names = "--format",
            defaultValue = "table",
            paramLabel = "FORMAT",
            description = "How the results are printed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private CheckReport.Format format;

    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        List<LayerCheck> results = results();
        PrintWriter out = spec.commandLine().getOut();
        out.print(CheckReport.text(results, format));
        return out.checkError() || results.stream().allMatch(LayerCheck::passed) ? 0 : ErrorLine.FAILURE;
    }

    private List<LayerCheck> results() throws IOException {
        try (Model loaded = model.load();
                Dataset tested = open(loaded)) {
            tested.checkBatchSize(samples);
            ReadOutput.checkLabels(loaded, () -> open(loaded), samples, target);
            try (Check check = check(loaded)) {
                Batch first = tested.next(samples);
                check.add(first.inputs(), first.targets());
                return check.results();
            }
        }
    }

    private Dataset open(Model loaded) {
        return data.open(loaded, target.needed());
    }

    private Check check(Model loaded) {
        return target.applyTo(loaded.check())
                .layers(layers.names())
                .mostNeurons(neurons)
                .open();
    }
}
