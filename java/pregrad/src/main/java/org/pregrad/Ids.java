package org.pregrad;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Finds enum constants by the names that the command uses. */
final class Ids {
    private Ids() {}

    static <T> T find(String kind, T[] values, Function<T, String> id, String wanted) {
        return Arrays.stream(values)
                .filter(value -> id.apply(value).equals(wanted))
                .findFirst()
                .orElseThrow(() -> new ArgumentException("unknown " + kind + " '" + wanted + "': use one of "
                        + Arrays.stream(values).map(id).collect(Collectors.joining(", "))));
    }
}
