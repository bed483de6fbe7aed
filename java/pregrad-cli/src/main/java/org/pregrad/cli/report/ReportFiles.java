package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.util.Optional;

/** The texts that a report is drawn from: files of a directory, or of an output that is still being written. */
public interface ReportFiles {
    /** The file's text; empty if there is no such file. */
    Optional<Reader> open(String name) throws IOException;

    /** What an error line calls the file, e.g. its path. */
    String shown(String name);
}
