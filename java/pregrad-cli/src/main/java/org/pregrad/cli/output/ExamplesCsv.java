package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;
import org.pregrad.Example;

/** {@code examples.csv}: the samples of each neuron's largest values, one row each, by their rows in the data file. */
public final class ExamplesCsv {
    public static final String FILE = "examples.csv";

    private ExamplesCsv() {}

    public static void write(List<Example> examples, Writer to) throws IOException {
        CsvRow.write(
                to, List.of("layer", "call", "cluster", "method", "neuron", "rank", "sample", "position", "value"));
        StringBuilder row = new StringBuilder();
        for (Example example : examples) {
            row.setLength(0);
            row.append(CsvRow.cell(example.layer()))
                    .append(',')
                    .append(example.call())
                    .append(',')
                    .append(example.cluster())
                    .append(',')
                    .append(example.method().id())
                    .append(',')
                    .append(example.neuron())
                    .append(',')
                    .append(example.rank())
                    .append(',')
                    .append(example.sample())
                    .append(',')
                    .append(example.position())
                    .append(',')
                    .append(CsvRow.number(example.value()))
                    .append('\n');
            to.append(row);
        }
    }
}
