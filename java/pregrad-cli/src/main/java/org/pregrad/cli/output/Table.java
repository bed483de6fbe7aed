package org.pregrad.cli.output;

import java.util.ArrayList;
import java.util.List;
import org.pregrad.Escapes;

/** Text in aligned columns, two spaces apart, with the escapes of {@link Escapes#escaped}. */
final class Table {
    private final List<List<String>> rows = new ArrayList<>();
    private final boolean[] toTheRight;

    /** @param alignment one letter per column: {@code l} or {@code r} */
    Table(String alignment, List<String> header) {
        toTheRight = new boolean[alignment.length()];
        for (int column = 0; column < toTheRight.length; column++) {
            toTheRight[column] = alignment.charAt(column) == 'r';
        }
        add(header);
    }

    void add(List<String> row) {
        rows.add(row.stream().map(Escapes::escaped).toList());
    }

    /** All rows, each ended by a line feed and without spaces before it. */
    String render() {
        int[] widths = new int[toTheRight.length];
        for (List<String> row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], length(row.get(column)));
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            text.append(line(row, widths).stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            String cell = row.get(column);
            String padding = " ".repeat(widths[column] - length(cell));
            line.append(column == 0 ? "" : "  ").append(toTheRight[column] ? padding + cell : cell + padding);
        }
        return line.toString();
    }

    private static int length(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
