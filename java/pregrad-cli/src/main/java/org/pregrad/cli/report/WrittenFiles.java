package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.util.Optional;
import org.pregrad.cli.output.OutputTransaction;

/** The files of an output that have not appeared yet. */
record WrittenFiles(OutputTransaction transaction) implements ReportFiles {
    @Override
    public Optional<Reader> open(String name) throws IOException {
        return transaction.open(name);
    }

    @Override
    public String shown(String name) {
        return name;
    }
}
