package org.pregrad.cli;

import org.pregrad.cli.options.StandardOptions;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command without a subcommand: help and versions. */
@Command(
        name = "pregrad",
        versionProvider = Versions.class,
        description =
                "Which hidden neurons of a trained network matter for a group of inputs: derivatives of its outputs by"
                        + " the neurons' pre-activations, per cluster of samples.",
        commandListHeading = "%nCommands:%n",
        subcommands = {
            LayersCommand.class,
            AttributeCommand.class,
            ExplainCommand.class,
            AblateCommand.class,
            CheckCommand.class,
            PruneCommand.class,
            ReportCommand.class,
            GenerateCompletion.class
        },
        footer = {
            "Examples:",
            "  pregrad layers --model cnn.pt --data digits.npz",
            "  pregrad attribute --model cnn.pt --data digits.npz --layer relu@1 --out results",
            "  pregrad explain --model cnn.pt --data digits.npz --layer relu@1 --out why",
            "  pregrad ablate --model cnn.pt --data digits.npz --layer relu@1 --out curves",
            "  pregrad check --model cnn.pt --data digits.npz --layer relu@1",
            "  pregrad report --from results",
            "",
            "Completion in bash: source <(pregrad generate-completion)"
        })
final class PregradCommand implements Runnable {
    @SuppressWarnings("UnusedVariable")
    @Mixin
    private StandardOptions standard;

    @SuppressWarnings("UnusedVariable")
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print the versions of PreGrad, LibTorch and Java and exit.")
    private boolean version;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "no command was given: use layers, attribute, explain, ablate, check, prune or report");
    }
}
