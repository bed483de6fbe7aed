package org.pregrad.cli.errors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pregrad.ArgumentException;
import org.pregrad.InputException;
import org.pregrad.LayerException;
import org.pregrad.ModelException;
import org.pregrad.PreGradException;
import org.pregrad.UnsupportedModelException;

class ErrorLineTest {
    static RuntimeException[] mendable() {
        return new RuntimeException[] {
            new UserException("m"),
            new ArgumentException("m"),
            new ModelException("m"),
            new UnsupportedModelException("m"),
            new LayerException("m"),
            new InputException("m")
        };
    }

    @ParameterizedTest
    @MethodSource("mendable")
    void givesTheMessageOfWhatTheUserCanMend(RuntimeException thrown) {
        assertThat(print(thrown, false)).isEqualTo("2 pregrad: m\n");
    }

    @Test
    void keepsToOneLine() {
        assertThat(print(new UserException("a\n  b\r\nc\u0007"), false)).isEqualTo("2 pregrad: a b c\\x07\n");
    }

    @Test
    void showsWhatActsOnATerminal() {
        assertThat(print(new UserException("no '\u001b[31mred\u001b[0m\u202e' here"), false))
                .isEqualTo("2 pregrad: no '\\x1b[31mred\\x1b[0m\\u202e' here\n");
        assertThat(print(new IllegalStateException("\u009b2J"), true))
                .contains("IllegalStateException: \\x9b2J", "at org.pregrad.cli.errors.ErrorLineTest")
                .doesNotContain("\u009b", "\t");
    }

    @Test
    void tellsFailuresOfItsOwnApart() {
        assertThat(print(new PreGradException("library missing"), false)).isEqualTo("1 pregrad: library missing\n");
        assertThat(print(new IllegalStateException("bug"), false))
                .isEqualTo("1 pregrad: internal failure, java.lang.IllegalStateException: bug; --debug shows where\n");
        assertThat(print(new OutOfMemoryError("Java heap space"), false))
                .startsWith("1 pregrad: out of memory")
                .contains("--batch-size")
                .hasLineCount(1);
    }

    @Test
    void showsTheTraceWhenAsked() {
        assertThat(print(new UserException("m"), true))
                .contains("pregrad: m\n", "at org.pregrad.cli.errors.ErrorLineTest");
    }

    private static String print(Throwable thrown, boolean debug) {
        StringWriter err = new StringWriter();
        int code = ErrorLine.print(thrown, debug, new PrintWriter(err));
        return code + " " + err;
    }
}
