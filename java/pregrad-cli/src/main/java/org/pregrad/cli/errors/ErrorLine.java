package org.pregrad.cli.errors;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.pregrad.Escapes;
import org.pregrad.PreGradException;

/** Turns whatever went wrong into one line on stderr and an exit code. */
public final class ErrorLine {
    /** A failure of PreGrad itself. */
    public static final int FAILURE = 1;

    /** Bad usage, bad input or a bad environment: the user can mend it. */
    public static final int BAD_INPUT = 2;

    private ErrorLine() {}

    /** Prints the line, with the stack trace behind it if {@code debug}; returns the exit code. */
    public static int print(Throwable thrown, boolean debug, PrintWriter err) {
        int code = isMendable(thrown) ? BAD_INPUT : FAILURE;
        print(code == BAD_INPUT ? thrown.getMessage() : failure(thrown), err);
        if (debug) {
            StringWriter trace = new StringWriter();
            thrown.printStackTrace(new PrintWriter(trace, true));
            trace.toString()
                    .lines()
                    .map(line -> Escapes.visible(line.replace("\t", "    ")))
                    .forEach(err::println);
        }
        err.flush();
        return code;
    }

    /** Prints the message as one line. */
    public static void print(String message, PrintWriter err) {
        err.println("pregrad: " + oneLine(message));
        err.flush();
    }

    /** Whether the user can mend it. */
    public static boolean isMendable(Throwable thrown) {
        // Of the Java interface's exceptions only the base class itself is a failure of PreGrad's own.
        return thrown instanceof UserException
                || (thrown instanceof PreGradException && thrown.getClass() != PreGradException.class);
    }

    private static String failure(Throwable thrown) {
        if (thrown instanceof OutOfMemoryError) {
            return "out of memory (" + thrown.getMessage() + "); give a smaller --batch-size or Java more memory";
        }
        if (thrown.getClass() == PreGradException.class) {
            return thrown.getMessage();
        }
        return "internal failure, " + thrown + "; --debug shows where";
    }

    private static String oneLine(String message) {
        return Escapes.printable(message.strip().replaceAll("\\s*\\R\\s*", " "));
    }
}
