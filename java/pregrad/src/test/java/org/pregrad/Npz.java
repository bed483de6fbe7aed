package org.pregrad;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Reads the arrays of a fixture: float32, float64 and int64, in C order. */
final class Npz {
    private static final Pattern HEADER = Pattern.compile("'descr': '<(..)'.*'shape': \\(([^)]*)\\)");

    /** An array of floats, doubles or longs. */
    record Array(Object values, long[] shape) {}

    private Npz() {}

    /** The array, or null if the file has none of that name. */
    static Array read(Path file, String name) {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry(name + ".npy");
            if (entry == null) {
                return null;
            }
            try (InputStream in = zip.getInputStream(entry)) {
                return parse(ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN));
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": " + e, e);
        }
    }

    private static Array parse(ByteBuffer bytes) {
        int length = bytes.getShort(8);
        String header = new String(bytes.array(), 10, length, StandardCharsets.ISO_8859_1);
        Matcher matcher = HEADER.matcher(header);
        if (!matcher.find()) {
            throw new IllegalArgumentException(header);
        }
        long[] shape = Arrays.stream(matcher.group(2).split("[ ,]+"))
                .mapToLong(Long::parseLong)
                .toArray();
        int size = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        bytes.position(10 + length);
        switch (matcher.group(1)) {
            case "f4":
                float[] floats = new float[size];
                bytes.asFloatBuffer().get(floats);
                return new Array(floats, shape);
            case "f8":
                double[] doubles = new double[size];
                bytes.asDoubleBuffer().get(doubles);
                return new Array(doubles, shape);
            case "i8":
                long[] longs = new long[size];
                bytes.asLongBuffer().get(longs);
                return new Array(longs, shape);
            default:
                throw new IllegalArgumentException(header);
        }
    }
}
