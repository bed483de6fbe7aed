package org.pregrad.cli.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.NumberInput;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.util.Arrays;
import java.util.List;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.output.CsvRow;
import org.pregrad.cli.report.DirectoryFiles.Source;

/** Rows of comma-separated values whose columns are found by name. */
final class CsvRows {
    private static final int ABSENT = -1;

    private final Source source;
    private final CsvParser parser;
    private final List<String> header;
    private String[] row = {};
    private int fields;
    private long number = 1;

    CsvRows(Source source, Reader text) throws IOException {
        this.source = source;
        this.parser = new CsvMapper()
                .enable(CsvParser.Feature.WRAP_AS_ARRAY)
                .getFactory()
                .createParser(text);
        parser.nextToken();
        if (!advance()) {
            throw source.damaged("it is empty");
        }
        this.header = List.of(Arrays.copyOf(row, fields));
    }

    /** Moves to the next row; false if there is none. */
    boolean next() throws IOException {
        if (!advance()) {
            return false;
        }
        number++;
        if (fields != header.size()) {
            throw damaged("has " + fields + " fields where the header has " + header.size());
        }
        return true;
    }

    /** The column's index. */
    int column(String name) {
        int index = optionalColumn(name);
        if (index == ABSENT) {
            throw source.damaged("it has no column '" + name + "'");
        }
        return index;
    }

    /** The column's index, or a negative one. */
    int optionalColumn(String name) {
        return header.indexOf(name);
    }

    /** The field as it stands in the file; whoever compares fields needs no more. */
    String raw(int column) {
        return row[column];
    }

    String text(int column) {
        return CsvRow.text(row[column]);
    }

    long integer(int column) {
        try {
            return Long.parseLong(row[column]);
        } catch (NumberFormatException e) {
            throw damaged("has '" + row[column] + "' for " + header.get(column) + ", which is no integer");
        }
    }

    /** A count or an index. */
    int index(int column) {
        long value = integer(column);
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw damaged("has " + value + " for " + header.get(column) + ", which is out of range");
        }
        return (int) value;
    }

    double number(int column) {
        try {
            return NumberInput.parseDouble(row[column], true);
        } catch (NumberFormatException e) {
            throw damaged("has '" + row[column] + "' for " + header.get(column) + ", which is no number");
        }
    }

    /** NaN where the field is empty. */
    double optionalNumber(int column) {
        return row[column].isEmpty() ? Double.NaN : number(column);
    }

    UserException damaged(String what) {
        return source.damaged("row " + number + " " + what);
    }

    private boolean advance() throws IOException {
        try {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                return false;
            }
            fields = 0;
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (fields == row.length) {
                    row = Arrays.copyOf(row, 2 * fields + 16);
                }
                row[fields++] = parser.getText();
            }
            return true;
        } catch (JsonProcessingException e) {
            if (e.getCause() instanceof CharacterCodingException wrapped) {
                throw wrapped;
            }
            throw source.damaged("row " + (number + 1) + " is no row of comma-separated values");
        }
    }
}
