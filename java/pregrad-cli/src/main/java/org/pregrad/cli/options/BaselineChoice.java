package org.pregrad.cli.options;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.pregrad.Baseline;
import org.pregrad.cli.output.FileDigest;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Where a path starts.
 *
 * @param kind a word of the command line, or a file
 * @param file for {@link Baseline#GIVEN}; else null
 */
public record BaselineChoice(Baseline kind, Path file) {
    /** As a summary tells it: the word, or the file with its digest. */
    public Object described() {
        return file == null ? kind.id() : FileDigest.of(file);
    }

    /** Reads {@code zero}, {@code mean} or a path. */
    static final class Converter implements ITypeConverter<BaselineChoice> {
        @Override
        public BaselineChoice convert(String text) {
            return text.equals(Baseline.MEAN.id()) ? new BaselineChoice(Baseline.MEAN, null) : zeroOrFile(text);
        }
    }

    /** Reads {@code zero} or a path. */
    static final class InputConverter implements ITypeConverter<BaselineChoice> {
        @Override
        public BaselineChoice convert(String text) {
            return zeroOrFile(text);
        }
    }

    private static BaselineChoice zeroOrFile(String text) {
        if (text.equals(Baseline.ZERO.id())) {
            return new BaselineChoice(Baseline.ZERO, null);
        }
        try {
            return new BaselineChoice(Baseline.GIVEN, Path.of(text));
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is no path in this locale; set LC_ALL to C.UTF-8");
        }
    }
}
