package org.pregrad.cli.progress;

import java.io.IOException;
import java.time.temporal.ChronoUnit;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar over samples on stderr, on a terminal only. */
public final class Progress implements AutoCloseable {
    private static final int WIDTH = 79;
    private static final int INTERVAL_MS = 200;

    private final ProgressBar bar;

    private Progress(ProgressBar bar) {
        this.bar = bar;
    }

    /**
     * @param samples how many will be passed, each as often as it is
     * @param quiet   no bar even on a terminal
     */
    public static Progress start(String task, long samples, boolean quiet) {
        if (quiet || !isStderrATerminal()) {
            return new Progress(null);
        }
        return new Progress(new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(samples)
                .setUnit(" samples", 1)
                .setSpeedUnit(ChronoUnit.SECONDS)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(INTERVAL_MS)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, WIDTH))
                .build());
    }

    /** So many more samples are done. */
    public void add(long samples) {
        if (bar != null) {
            bar.stepBy(samples);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }

    /**
     * Whether stderr is a terminal. The JDK tells it only of stdin and stdout together, so a child that has our stderr is
     * asked.
     */
    private static boolean isStderrATerminal() {
        try {
            Process test = new ProcessBuilder("test", "-t", "2")
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return test.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
