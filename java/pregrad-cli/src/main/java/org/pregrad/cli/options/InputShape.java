package org.pregrad.cli.options;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The shape of a model's input, samples first. */
public record InputShape(List<Long> sizes) {
    private static final Pattern TEXT = Pattern.compile("[1-9]\\d{0,8}(,[1-9]\\d{0,8})*");

    /** Reads a shape such as {@code 1,3,64,64}. */
    public static final class Converter implements ITypeConverter<InputShape> {
        @Override
        public InputShape convert(String text) {
            if (!TEXT.matcher(text).matches()) {
                throw new TypeConversionException(
                        "'" + text + "' is no shape; give sizes of 1 or more with the samples first, as in 1,3,64,64");
            }
            return new InputShape(
                    Arrays.stream(text.split(",")).map(Long::valueOf).toList());
        }
    }
}
