package org.pregrad.cli.output;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;

/** Writes rows of comma-separated values as RFC 4180 has it, with plain line feeds. */
final class CsvRow {
    private CsvRow() {}

    static void write(Appendable to, List<String> fields) throws IOException {
        for (Iterator<String> field = fields.iterator(); field.hasNext(); ) {
            to.append(quoted(field.next()));
            to.append(field.hasNext() ? ',' : '\n');
        }
    }

    static String quoted(String field) {
        boolean plain = field.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? field : '"' + field.replace("\"", "\"\"") + '"';
    }
}
