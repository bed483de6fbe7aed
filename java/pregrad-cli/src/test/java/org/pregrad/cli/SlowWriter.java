package org.pregrad.cli;

import java.nio.file.Path;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;

/** Writes results and waits before it is done, for a test that interrupts it. */
final class SlowWriter {
    private static final long LONG_MS = 100_000;

    private SlowWriter() {}

    public static void main(String[] arguments) throws InterruptedException {
        try (OutputTransaction transaction = new OutputDirectory(Path.of(arguments[0])).begin()) {
            transaction.write("scores.csv", to -> to.write("layer\n"));
            Thread.sleep(LONG_MS);
            transaction.commit();
        }
    }
}
