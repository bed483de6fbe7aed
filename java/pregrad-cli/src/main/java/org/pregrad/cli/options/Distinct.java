package org.pregrad.cli.options;

import java.util.LinkedHashSet;
import java.util.List;

/** The values of an option that may be repeated. */
final class Distinct {
    private Distinct() {}

    /** Each value once, in the order in which they were first given. */
    static <T> List<T> of(List<T> values) {
        return List.copyOf(new LinkedHashSet<>(values));
    }
}
