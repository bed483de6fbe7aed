package org.pregrad.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.pregrad.Escapes;
import org.pregrad.cli.data.SampleRows;
import org.pregrad.cli.errors.UserException;

/**
 * What is shown of samples: a small picture where they are pictures, [channels, height, width] of 1 or 3 channels or
 * [height, width]; words where they are whole numbers, [positions], and {@code vocab.txt} beside the data has a word in the
 * line of each; else their first values.
 *
 * @param note why samples are not shown, or how; empty if there is nothing to say
 */
record Samples(Map<Long, Sample> byIndex, String note) {
    static final String WORDS = "vocab.txt";

    /** Of a picture's longer side, in pixels. */
    private static final int SIDE = 64;

    private static final int MOST_VALUES = 8;
    private static final int WORDS_AROUND = 12;
    private static final int MOST_WORDS = 64;
    private static final int MOST_CHARACTERS = 40;
    private static final int WHITE = 255;

    /**
     * One of the three.
     *
     * @param image a picture as a data URL
     * @param words from position {@code from} on
     * @param text  values
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Sample(String image, List<String> words, Long from, String text) {}

    static Samples none(String note) {
        return new Samples(Map.of(), note);
    }

    /**
     * @param array    of the data, which went into the model
     * @param examples whose samples are wanted
     * @param most     so many of them
     */
    static Samples read(Path data, String array, Examples examples, int most) {
        SortedSet<Long> wanted =
                new TreeSet<>(examples.samples().stream().limit(most).toList());
        Map<Long, Set<Long>> positions = examples.positions();
        List<String> vocabulary = vocabulary(data);
        Map<Long, Sample> samples = new HashMap<>();
        SampleRows.read(
                data,
                array,
                wanted,
                (index, row) -> samples.put(index, sample(row, vocabulary, positions.getOrDefault(index, Set.of()))));
        boolean stretched = samples.values().stream().anyMatch(sample -> sample.image() != null);
        boolean unknownWords = vocabulary.isEmpty()
                && samples.values().stream().anyMatch(sample -> sample.text() != null && sample.words() == null);
        return new Samples(
                samples,
                stretched
                        ? "Pictures with values outside [0, 1], or whole numbers outside [0, 255], are stretched from"
                                + " their least to their largest value."
                        : unknownWords
                                ? "For words instead of numbers, put a file " + WORDS
                                        + " with one word per line, that of number 0 first, beside the data."
                                : "");
    }

    private static Sample sample(SampleRows.Row row, List<String> vocabulary, Set<Long> positions) {
        int[] picture = shapeOfPicture(row.shape());
        if (picture != null) {
            return new Sample(picture(row, picture[0], picture[1], picture[2]), null, null, null);
        }
        if (row.isInteger() && row.shape().size() == 1 && !vocabulary.isEmpty()) {
            return words(row.values(), vocabulary, positions);
        }
        List<String> shown = new ArrayList<>();
        for (int i = 0; i < Math.min(MOST_VALUES, row.values().length); i++) {
            shown.add(Shown.number(row.values()[i], 3));
        }
        boolean isAll = row.values().length <= MOST_VALUES;
        return new Sample(
                null,
                null,
                null,
                String.join(", ", shown) + (isAll ? "" : ", \u2026 (" + row.values().length + " values)"));
    }

    /** Channels, height and width; null if it is no picture. */
    private static int[] shapeOfPicture(List<Long> shape) {
        if (shape.size() == 2) {
            return new int[] {1, shape.get(0).intValue(), shape.get(1).intValue()};
        }
        boolean isPicture = shape.size() == 3 && (shape.get(0) == 1 || shape.get(0) == 3);
        return isPicture
                ? new int[] {
                    shape.get(0).intValue(),
                    shape.get(1).intValue(),
                    shape.get(2).intValue()
                }
                : null;
    }

    private static Sample words(double[] values, List<String> vocabulary, Set<Long> positions) {
        long first = positions.stream().mapToLong(Long::longValue).min().orElse(0);
        int from = (int) Math.max(0, Math.min(first - WORDS_AROUND, values.length - 1L));
        List<String> words = new ArrayList<>();
        for (int i = from; i < Math.min(values.length, from + MOST_WORDS); i++) {
            long number = (long) values[i];
            String word = number >= 0 && number < vocabulary.size() ? vocabulary.get((int) number) : "#" + number;
            words.add(Escapes.escaped(
                    word.length() > MOST_CHARACTERS ? word.substring(0, MOST_CHARACTERS) + "\u2026" : word));
        }
        return new Sample(null, words, (long) from, null);
    }

    /** None if there is no such file. */
    private static List<String> vocabulary(Path data) {
        Path file = data.resolveSibling(WORDS);
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            return Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (CharacterCodingException e) {
            throw new UserException(file + " is not UTF-8 text; save it so, with one word per line", e);
        } catch (IOException e) {
            throw new UserException(file + " cannot be read (" + e.getMessage() + "); check the file and its disk", e);
        }
    }

    private static String picture(SampleRows.Row row, int channels, int height, int width) {
        int step = Math.max(1, (Math.max(height, width) + SIDE - 1) / SIDE);
        int rows = (height + step - 1) / step;
        int columns = (width + step - 1) / step;
        double low = 0;
        double high = row.isInteger() ? WHITE : 1;
        double least = Double.POSITIVE_INFINITY;
        double largest = Double.NEGATIVE_INFINITY;
        for (double value : row.values()) {
            least = Math.min(least, value);
            largest = Math.max(largest, value);
        }
        if (least < low || largest > high) {
            low = least;
            high = largest;
        }
        BufferedImage image = new BufferedImage(
                columns, rows, channels == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        WritableRaster raster = image.getRaster();
        for (int y = 0; y < rows; y++) {
            for (int x = 0; x < columns; x++) {
                for (int channel = 0; channel < channels; channel++) {
                    double mean = mean(row.values(), channel, height, width, y * step, x * step, step);
                    double share = high > low ? (mean - low) / (high - low) : 0;
                    raster.setSample(x, y, channel, (int) Math.round(WHITE * Math.max(0, Math.min(1, share))));
                }
            }
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png(image));
    }

    private static double mean(double[] values, int channel, int height, int width, int top, int left, int step) {
        double sum = 0;
        int count = 0;
        for (int y = top; y < Math.min(height, top + step); y++) {
            for (int x = left; x < Math.min(width, left + step); x++) {
                sum += values[(channel * height + y) * width + x];
                count++;
            }
        }
        return sum / count;
    }

    private static byte[] png(BufferedImage image) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        // Given a stream of its own, so that it makes no file of its cache.
        try (ImageOutputStream to = new MemoryCacheImageOutputStream(file)) {
            ImageIO.write(image, "png", to);
        } catch (IOException e) {
            throw new IllegalStateException("memory takes what is written", e);
        }
        return file.toByteArray();
    }
}
