package org.pregrad.cli.options;

import java.nio.file.Path;
import java.time.Duration;
import org.pregrad.Device;
import org.pregrad.Model;
import org.pregrad.PreGrad;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which model runs, and where. */
public final class ModelOptions {
    private static final long BYTES_PER_GIB = 1L << 30;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "M.pt",
            description = "The model: an archive of torch.export.save, or TorchScript, scripted or traced.")
    private Path model;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "cpu|cuda|cuda:N",
            description = "Where the model runs (default: ${DEFAULT-VALUE}).")
    private Device device;

    @Option(
            names = "--trust-model",
            description = "Lets a TorchScript file that you vouch for read and write files, print, and use devices and"
                    + " threads. Without it, such operators are refused.")
    private boolean trusted;

    @Option(
            names = "--time-limit",
            paramLabel = "DURATION",
            converter = Choices.TimeLimit.class,
            description = "How long loading the model and each batch may take, such as 30s, 500ms, 5m or 1h; looked at"
                    + " between two operators (default: no limit).")
    private Duration timeLimit;

    @Option(
            names = "--threads",
            paramLabel = "N",
            converter = Choices.Positive.class,
            description = "How many threads one operation may use (default: one per core).")
    private Integer threads;

    @Option(
            names = "--isolate",
            description =
                    "Run the model in a process of its own: a file that crashes it ends the command with one line and"
                            + " exit code 2.")
    private boolean isolate;

    @Option(
            names = "--memory-limit",
            paramLabel = "GIB",
            converter = Choices.Positive.class,
            description =
                    "With --isolate: how much memory the model's process may take, in GiB, at least 2 (default: no limit).")
    private Integer memoryLimit;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** The model's file. */
    public Path file() {
        return model;
    }

    public Device device() {
        return device;
    }

    /** Threads per operation; null for LibTorch's own choice. */
    public Integer threads() {
        return threads;
    }

    /** Loads the model; the caller closes it. */
    public Model load() {
        if (threads != null) {
            PreGrad.setThreads(threads);
        }
        Model.Options options = Model.Options.defaults().device(device);
        if (timeLimit != null) {
            options = options.timeLimit(timeLimit);
        }
        if (trusted) {
            options = options.trusted();
        }
        if (isolate) {
            options = options.isolated();
        }
        if (memoryLimit != null) {
            if (!isolate) {
                throw new ParameterException(
                        command.commandLine(), "--memory-limit is that of the model's own process: give --isolate too");
            }
            options = options.memoryLimit(memoryLimit * BYTES_PER_GIB);
        }
        return Model.load(model, options);
    }
}
