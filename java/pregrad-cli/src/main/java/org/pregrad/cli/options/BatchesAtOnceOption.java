package org.pregrad.cli.options;

import org.pregrad.Device;
import picocli.CommandLine.Option;

/** How many batches run at once. */
public final class BatchesAtOnceOption {
    @Option(
            names = "--batches-at-once",
            paramLabel = "N",
            converter = Converters.ToPositive.class,
            description =
                    "How many batches run at once, each with memory and --threads of its own (default: 2 on a CUDA"
                            + " device, where one goes up while the other computes, else 1). The scores are the same.")
    private Integer number;

    /** The number given, or what suits the device. */
    public int on(Device device) {
        if (number != null) {
            return number;
        }
        return device.equals(Device.cpu()) ? 1 : 2;
    }
}
