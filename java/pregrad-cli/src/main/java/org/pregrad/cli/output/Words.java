package org.pregrad.cli.output;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The words that stand for an enum's constants on the command line: their names in lower case. */
public final class Words {
    private Words() {}

    /** The words of all constants, in their order. */
    public static <E extends Enum<E>> List<String> of(Class<E> constants) {
        return Arrays.stream(constants.getEnumConstants()).map(Words::of).toList();
    }

    /** The constant of that word; empty if there is none. */
    public static <E extends Enum<E>> Optional<E> find(Class<E> constants, String word) {
        return Arrays.stream(constants.getEnumConstants())
                .filter(constant -> of(constant).equals(word))
                .findFirst();
    }

    private static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
