package org.pregrad.cli.output;

import com.fasterxml.jackson.core.io.NumberOutput;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import org.pregrad.Escapes;

/**
 * Rows of comma-separated values as RFC 4180 has it, with plain line feeds. Text has the escapes of {@link Escapes#escaped};
 * what a spreadsheet would take for a formula has an apostrophe before it, and so has what begins with one.
 */
public final class CsvRow {
    private static final String GUARD = "'";
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?(E-?\\d+)?");

    private CsvRow() {}

    /** The text of which a cell was made, once it is read and without quotes. */
    public static String text(String cell) {
        return Escapes.unescaped(cell.startsWith(GUARD) ? cell.substring(GUARD.length()) : cell);
    }

    /** The shortest text that reads back as the same number, the same with every JDK (17's own is not always the shortest). */
    static String number(double value) {
        return NumberOutput.toString(value, true);
    }

    static void write(Appendable to, List<String> fields) throws IOException {
        for (Iterator<String> field = fields.iterator(); field.hasNext(); ) {
            to.append(cell(field.next()));
            to.append(field.hasNext() ? ',' : '\n');
        }
    }

    static String cell(String field) {
        String text = Escapes.escaped(field);
        boolean acts = !text.isEmpty() && "=+-@'".indexOf(text.charAt(0)) >= 0;
        if (acts && !NUMBER.matcher(text).matches()) {
            text = GUARD + text;
        }
        boolean plain = text.indexOf(',') < 0 && text.indexOf('"') < 0;
        return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
