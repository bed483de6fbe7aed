package org.pregrad.data;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses the header's text, a Python dictionary with the keys {@code descr}, {@code fortran_order}, {@code shape}. */
final class NpyHeaderParser {
    private static final Set<String> KEYS = Set.of("descr", "fortran_order", "shape");
    private static final Pattern START = Pattern.compile("\\G\\{");
    private static final Pattern KEY = Pattern.compile("\\G\\s*['\"](\\w+)['\"]\\s*:\\s*");
    private static final Pattern TEXT = Pattern.compile("\\G(?:'([^'\\\\]*)'|\"([^\"\\\\]*)\")");
    private static final Pattern TRUTH = Pattern.compile("\\G(True|False)");
    /** NumPy's arrays have at most 64 axes. */
    private static final Pattern TUPLE =
            Pattern.compile("\\G\\(\\s*((?:\\d{1,19}\\s*,\\s*){0,64}(?:\\d{1,19})?)\\s*\\)");

    private static final Pattern SEPARATOR = Pattern.compile("\\G\\s*(?:,\\s*(})?|(}))");
    private static final Pattern TYPE = Pattern.compile("([<>|=])([biuf])([1248])");
    /** No name of a cluster is longer than what five digits count. */
    private static final Pattern TEXT_TYPE = Pattern.compile("([<>|=])([US])(\\d{1,5})");

    private static final Pattern PADDING = Pattern.compile("\\G\\s*\\z");

    private final String array;
    private final String text;
    private int position;

    private NpyHeaderParser(String array, String text) {
        this.array = array;
        this.text = text;
    }

    /** @throws ArrayFileException if the text is no such dictionary or describes no array of numbers */
    static NpyHeader parse(String array, String text) {
        return new NpyHeaderParser(array, text).parse();
    }

    private NpyHeader parse() {
        Map<String, String> values = new HashMap<>();
        take(START);
        boolean closed = false;
        while (!closed) {
            String key = take(KEY).group(1);
            Pattern value =
                    switch (key) {
                        case "descr" -> descriptor();
                        case "fortran_order" -> TRUTH;
                        case "shape" -> TUPLE;
                        default -> throw damaged();
                    };
            Matcher found = take(value);
            String one = found.group(1) == null ? found.group(2) : found.group(1);
            if (values.put(key, one) != null) {
                throw damaged();
            }
            Matcher separator = take(SEPARATOR);
            closed = separator.group(1) != null || separator.group(2) != null;
        }
        take(PADDING);
        if (!values.keySet().equals(KEYS)) {
            throw damaged();
        }
        return new NpyHeader(
                type(values.get("descr")), values.get("fortran_order").equals("True"), shape(values.get("shape")));
    }

    private Pattern descriptor() {
        if (position < text.length() && text.charAt(position) == '[') {
            throw new ArrayFileException("array '" + array + "' holds records; save its fields as arrays of their own");
        }
        return TEXT;
    }

    private NpyType type(String descriptor) {
        if (descriptor.endsWith("O")) {
            throw new ArrayFileException("array '" + array
                    + "' holds pickled Python objects, which are not read; save it as numbers:" + " np.asarray(" + array
                    + ", dtype=...) with np.float32 for inputs, np.int64 for labels and clusters");
        }
        Matcher text = TEXT_TYPE.matcher(descriptor);
        if (text.matches()) {
            boolean wide = text.group(2).equals("U");
            return new NpyType(
                    wide ? NpyType.Kind.UNICODE : NpyType.Kind.BYTES,
                    Integer.parseInt(text.group(3)) * (wide ? Integer.BYTES : 1),
                    order(text.group(1)));
        }
        Matcher matcher = TYPE.matcher(descriptor);
        NpyType type = matcher.matches() ? typeOf(matcher) : null;
        if (type == null) {
            throw new ArrayFileException("array '" + array + "' has elements of type " + descriptor
                    + ", which are no numbers that PreGrad reads; save it as np.asarray(" + array
                    + ", dtype=...) with np.float32 for inputs, np.int64 for labels and clusters");
        }
        return type;
    }

    private static NpyType typeOf(Matcher matcher) {
        ByteOrder order = order(matcher.group(1));
        int size = Integer.parseInt(matcher.group(3));
        return switch (matcher.group(2)) {
            case "b" -> size == 1 ? new NpyType(NpyType.Kind.BOOLEAN, size, order) : null;
            case "i" -> new NpyType(NpyType.Kind.SIGNED, size, order);
            case "u" -> new NpyType(NpyType.Kind.UNSIGNED, size, order);
            default -> size > 1 ? new NpyType(NpyType.Kind.FLOAT, size, order) : null;
        };
    }

    private static ByteOrder order(String mark) {
        return switch (mark) {
            case "<" -> ByteOrder.LITTLE_ENDIAN;
            case ">" -> ByteOrder.BIG_ENDIAN;
            default -> ByteOrder.nativeOrder();
        };
    }

    private List<Long> shape(String tuple) {
        List<Long> sizes = new ArrayList<>();
        boolean comma = tuple.indexOf(',') >= 0;
        for (String size : tuple.split(",", -1)) {
            if (!size.isBlank()) {
                sizes.add(parseSize(size.strip()));
            }
        }
        if (sizes.size() == 1 && !comma) {
            throw damaged();
        }
        return List.copyOf(sizes);
    }

    private long parseSize(String size) {
        try {
            return Long.parseLong(size);
        } catch (NumberFormatException e) {
            throw damaged();
        }
    }

    private Matcher take(Pattern pattern) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find(position)) {
            throw damaged();
        }
        position = matcher.end();
        return matcher;
    }

    private ArrayFileException damaged() {
        return new ArrayFileException(
                "array '" + array + "' has a header that is no NumPy header; save it again with numpy.savez");
    }
}
