package org.pregrad.cli.options;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.pregrad.Aggregate;
import org.pregrad.ArgumentException;
import org.pregrad.At;
import org.pregrad.Device;
import org.pregrad.Escapes;
import org.pregrad.Method;
import org.pregrad.Output;
import org.pregrad.Positions;
import org.pregrad.Quadrature;
import org.pregrad.Removal;
import org.pregrad.Target;
import org.pregrad.cli.output.CheckReport;
import org.pregrad.cli.output.LayerList;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * What the words of options mean. Which there are picocli asks the enums, for help and completion; the messages are those
 * of the Java interface.
 */
public final class Choices {
    private Choices() {}

    /** Lets a command and its subcommands read options of these types. What is text is a name, as tables print names. */
    public static CommandLine register(CommandLine command) {
        return command.registerConverter(String.class, Escapes::unescaped)
                .registerConverter(Path.class, Choices::path)
                .registerConverter(Method.class, words(Method::of))
                .registerConverter(Output.class, words(Output::of))
                .registerConverter(Aggregate.class, words(Aggregate::of))
                .registerConverter(Positions.class, words(Positions::of))
                .registerConverter(Quadrature.class, words(Quadrature::of))
                .registerConverter(Removal.class, words(Removal::of))
                .registerConverter(Target.class, words(Target::of))
                .registerConverter(At.class, words(At::of))
                .registerConverter(Device.class, words(Device::of))
                .registerConverter(LayerList.Format.class, formats(LayerList.Format.values()))
                .registerConverter(CheckReport.Format.class, formats(CheckReport.Format.values()));
    }

    /**
     * An option that takes any number of words would take a misspelt option too. picocli's own switch against that refuses
     * {@code --out=-o} as well.
     */
    public static final class Layers implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            if (text.startsWith("--")) {
                throw new TypeConversionException("there is no layer and no option '" + text + "'");
            }
            return Escapes.unescaped(text);
        }
    }

    /** Numbers from 1. */
    public static final class Positive implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            try {
                int value = Integer.parseInt(text);
                if (value > 0) {
                    return value;
                }
            } catch (NumberFormatException e) {
                // The message below says it.
            }
            throw new TypeConversionException("'" + text + "' is no number from 1 to " + Integer.MAX_VALUE);
        }
    }

    /** A whole number above 0 with a unit: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 1h}; without one, seconds. */
    public static final class TimeLimit implements ITypeConverter<Duration> {
        private static final Pattern SHAPE = Pattern.compile("([0-9]{1,9})(ms|s|m|h)?");

        @Override
        public Duration convert(String text) {
            Matcher matcher = SHAPE.matcher(text);
            long number = matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
            if (number == 0) {
                throw new TypeConversionException(
                        "'" + text + "' is no time limit: give one such as 30s, 500ms, 5m or 1h");
            }
            return Duration.of(number, unit(matcher.group(2)));
        }

        private static ChronoUnit unit(String name) {
            return switch (name == null ? "s" : name) {
                case "ms" -> ChronoUnit.MILLIS;
                case "m" -> ChronoUnit.MINUTES;
                case "h" -> ChronoUnit.HOURS;
                default -> ChronoUnit.SECONDS;
            };
        }
    }

    /** Each value of an option that may be repeated once, in the order in which they were first given. */
    public static <T> List<T> distinct(List<T> values) {
        return List.copyOf(new LinkedHashSet<>(values));
    }

    static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is no path in this locale; set LC_ALL to C.UTF-8");
        }
    }

    /** @param meaning throws {@link ArgumentException} for a word that has none */
    private static <T> ITypeConverter<T> words(Function<String, T> meaning) {
        return text -> {
            try {
                return meaning.apply(text);
            } catch (ArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
    }

    private static <T> ITypeConverter<T> formats(T[] formats) {
        return text -> Arrays.stream(formats)
                .filter(format -> format.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("unknown format '" + text + "': use one of "
                        + Arrays.stream(formats).map(T::toString).collect(Collectors.joining(", "))));
    }
}
