package org.pregrad.cli.options;

import java.nio.file.Path;
import java.time.Duration;
import org.pregrad.Device;
import org.pregrad.Model;
import org.pregrad.PreGrad;
import picocli.CommandLine.Option;

/** Which model runs, and where. */
public final class ModelOptions {
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
        return Model.load(model, trusted ? options.trusted() : options);
    }
}
