package org.pregrad.cli;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.pregrad.cli.output.OutputDirectory;
import org.pregrad.cli.output.OutputTransaction;

/** Writes results and waits before it is done, for a test that interrupts it. */
final class SlowWriter {
    private SlowWriter() {}

    public static void main(String[] arguments) throws InterruptedException {
        try (OutputTransaction transaction = new OutputDirectory(Path.of(arguments[0])).begin()) {
            transaction.write("scores.csv", to -> to.write("layer\n"));
            new CountDownLatch(1).await();
            transaction.commit();
        }
    }
}
