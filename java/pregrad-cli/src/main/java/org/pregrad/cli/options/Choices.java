package org.pregrad.cli.options;

import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.pregrad.Aggregate;
import org.pregrad.ArgumentException;
import org.pregrad.Device;
import org.pregrad.Method;
import org.pregrad.Output;
import org.pregrad.Quadrature;
import org.pregrad.Removal;
import org.pregrad.Target;
import org.pregrad.cli.output.CheckReport;
import org.pregrad.cli.output.LayerList;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * What the words of options mean, and which there are, for help and completion. The messages are those of the Java
 * interface.
 */
public final class Choices {
    private Choices() {}

    /** Words of a kind: picocli's converter and its candidates in one. */
    private abstract static class Words<T> implements ITypeConverter<T>, Iterable<String> {
        private final List<String> words;
        private final Function<String, T> meaning;

        /** @param meaning throws {@link ArgumentException} for a word that has none */
        Words(List<String> words, Function<String, T> meaning) {
            this.words = words;
            this.meaning = meaning;
        }

        <E> Words(E[] values, Function<E, String> word, Function<String, T> meaning) {
            this(Arrays.stream(values).map(word).toList(), meaning);
        }

        @Override
        public final T convert(String text) {
            try {
                return meaning.apply(text);
            } catch (ArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }

        @Override
        public final Iterator<String> iterator() {
            return words.iterator();
        }
    }

    /** Formats of an output of the command: the constants' names in lower case. */
    private abstract static class Formats<E extends Enum<E>> extends Words<E> {
        Formats(E[] formats) {
            super(formats, Formats::word, text -> Arrays.stream(formats)
                    .filter(format -> word(format).equals(text))
                    .findFirst()
                    .orElseThrow(() -> new ArgumentException("unknown format '" + text + "': use one of "
                            + String.join(
                                    ", ",
                                    Arrays.stream(formats).map(Formats::word).toList()))));
        }

        private static String word(Enum<?> format) {
            return format.name().toLowerCase(Locale.ROOT);
        }
    }

    public static final class Methods extends Words<Method> {
        Methods() {
            super(Method.values(), Method::id, Method::of);
        }
    }

    public static final class Outputs extends Words<Output> {
        Outputs() {
            super(Output.values(), Output::id, Output::of);
        }
    }

    public static final class Aggregates extends Words<Aggregate> {
        Aggregates() {
            super(Aggregate.values(), Aggregate::id, Aggregate::of);
        }
    }

    public static final class Quadratures extends Words<Quadrature> {
        Quadratures() {
            super(Quadrature.values(), Quadrature::id, Quadrature::of);
        }
    }

    public static final class Removals extends Words<Removal> {
        Removals() {
            super(Removal.values(), Removal::id, Removal::of);
        }
    }

    public static final class Targets extends Words<Target> {
        Targets() {
            super(List.of(), Target::of);
        }
    }

    public static final class Devices extends Words<Device> {
        Devices() {
            super(List.of(), Device::of);
        }
    }

    public static final class LayerFormats extends Formats<LayerList.Format> {
        LayerFormats() {
            super(LayerList.Format.values());
        }
    }

    public static final class CheckFormats extends Formats<CheckReport.Format> {
        CheckFormats() {
            super(CheckReport.Format.values());
        }
    }

    /** An option that takes any number of words would take a misspelt option too. */
    public static final class Layers extends Words<String> {
        Layers() {
            super(List.of(), text -> {
                if (text.startsWith("--")) {
                    throw new ArgumentException("there is no layer and no option '" + text + "'");
                }
                return text;
            });
        }
    }

    /** Numbers from 1. */
    public static final class Positive extends Words<Integer> {
        Positive() {
            super(List.of(), text -> {
                try {
                    int value = Integer.parseInt(text);
                    if (value > 0) {
                        return value;
                    }
                } catch (NumberFormatException e) {
                    // The message below says it.
                }
                throw new ArgumentException("'" + text + "' is no number from 1 to " + Integer.MAX_VALUE);
            });
        }
    }

    /** Each value of an option that may be repeated once, in the order in which they were first given. */
    public static <T> List<T> distinct(List<T> values) {
        return List.copyOf(new LinkedHashSet<>(values));
    }
}
