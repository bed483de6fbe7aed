package org.pregrad.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The models, data and golden values that every language is tested against. */
final class Fixtures {
    /** How far scores of the same samples in other batches may be apart; {@code native/tests/rounding.hpp} says why. */
    static final double BETWEEN_BATCHES = 1e-6;

    /** The same of scores and golden values, and of a batch that was added in halves. */
    static final double OF_GOLDEN_VALUES = 1e-5;

    private Fixtures() {}

    /** A row of models.csv. */
    record Entry(String model, Path file, Path data, String refused) {
        @Override
        public String toString() {
            return file.getFileName().toString();
        }
    }

    static Path path(String name) {
        return Path.of(System.getProperty("pregrad.fixtures", "../../tests/fixtures"))
                .resolve(name);
    }

    static String text(String name) {
        return path(name).toString();
    }

    static Stream<Entry> accepted() {
        return entries().filter(entry -> entry.refused().isEmpty());
    }

    static Stream<Entry> refused() {
        return entries().filter(entry -> !entry.refused().isEmpty());
    }

    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Rows without the header, fields apart; for files without quoted fields in the first columns. */
    static Stream<String[]> rows(Path file) {
        return lines(file).stream().skip(1).map(line -> line.split(",", -1));
    }

    private static Stream<Entry> entries() {
        return rows(path("models.csv")).map(row -> new Entry(row[0], path(row[2]), path(row[3]), row[4]));
    }
}
