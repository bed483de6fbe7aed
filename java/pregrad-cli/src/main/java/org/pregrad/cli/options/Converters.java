package org.pregrad.cli.options;

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
import org.pregrad.cli.output.Words;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Turn the words of options into what they mean; the messages are those of the Java interface. */
final class Converters {
    private Converters() {}

    /** An option that takes any number of words would take a misspelt option too. */
    static final class ToLayer implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            if (text.startsWith("--")) {
                throw new TypeConversionException("there is no layer and no option '" + text + "'");
            }
            return text;
        }
    }

    static final class ToMethod implements ITypeConverter<Method> {
        @Override
        public Method convert(String text) {
            return converted(text, Method::of);
        }
    }

    static final class ToAggregate implements ITypeConverter<Aggregate> {
        @Override
        public Aggregate convert(String text) {
            return converted(text, Aggregate::of);
        }
    }

    static final class ToTarget implements ITypeConverter<Target> {
        @Override
        public Target convert(String text) {
            return converted(text, Target::of);
        }
    }

    static final class ToOutput implements ITypeConverter<Output> {
        @Override
        public Output convert(String text) {
            return converted(text, Output::of);
        }
    }

    static final class ToDevice implements ITypeConverter<Device> {
        @Override
        public Device convert(String text) {
            return converted(text, Device::of);
        }
    }

    static final class ToFormat implements ITypeConverter<LayerList.Format> {
        @Override
        public LayerList.Format convert(String text) {
            return format(LayerList.Format.class, text);
        }
    }

    static final class ToQuadrature implements ITypeConverter<Quadrature> {
        @Override
        public Quadrature convert(String text) {
            return converted(text, Quadrature::of);
        }
    }

    static final class ToRemoval implements ITypeConverter<Removal> {
        @Override
        public Removal convert(String text) {
            return converted(text, Removal::of);
        }
    }

    static final class ToCheckFormat implements ITypeConverter<CheckReport.Format> {
        @Override
        public CheckReport.Format convert(String text) {
            return format(CheckReport.Format.class, text);
        }
    }

    static final class ToPositive implements ITypeConverter<Integer> {
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

    private static <E extends Enum<E>> E format(Class<E> formats, String text) {
        return Words.find(formats, text)
                .orElseThrow(() -> new TypeConversionException(
                        "unknown format '" + text + "': use one of " + String.join(", ", Words.of(formats))));
    }

    private static <T> T converted(String text, Function<String, T> conversion) {
        try {
            return conversion.apply(text);
        } catch (ArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
