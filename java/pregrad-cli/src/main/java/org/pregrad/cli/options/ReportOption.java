package org.pregrad.cli.options;

import picocli.CommandLine.Option;

/** Whether a command draws a page of its results. */
public final class ReportOption {
    @Option(names = "--no-report", description = "Do not write DIR/report.html.")
    private boolean none;

    public boolean isWanted() {
        return !none;
    }
}
