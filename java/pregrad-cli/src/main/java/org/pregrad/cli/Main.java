package org.pregrad.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.pregrad.cli.errors.ErrorLine;
import org.pregrad.cli.errors.UsageError;
import org.pregrad.cli.options.Choices;
import picocli.CommandLine;

/** Runs the command {@code pregrad}. */
public final class Main {
    private static final String DEBUG_OPTION = "--debug";
    private static final String DEBUG_VARIABLE = "PREGRAD_DEBUG";

    /** As shells tell of a program that SIGPIPE ended. */
    private static final int READER_GONE = 141;

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run(writer(FileDescriptor.out), writer(FileDescriptor.err), arguments));
    }

    /** Layer names may have any letter, whatever the locale; and unlike System.out it tells when the disk is full. */
    private static PrintWriter writer(FileDescriptor stream) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(stream), StandardCharsets.UTF_8), true);
    }

    /** Runs the command with these arguments; returns the exit code. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        boolean debug = List.of(arguments).contains(DEBUG_OPTION) || "1".equals(System.getenv(DEBUG_VARIABLE));
        try {
            int code = commandLine(out, err, debug).execute(arguments);
            return code == 0 && out.checkError() ? unwritten(err) : code;
        } catch (Throwable e) {
            // The command's own handlers see exceptions; errors such as a full heap or a library that does not link end
            // here.
            return ErrorLine.print(e, debug, err);
        }
    }

    /** Who reads a pipe may have read enough ({@code | head}), and is told nothing. */
    private static int unwritten(PrintWriter err) {
        try {
            String to = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            if (to.startsWith("pipe:") || to.startsWith("socket:")) {
                return READER_GONE;
            }
        } catch (IOException e) {
            // Then it is taken for a file.
        }
        ErrorLine.print("cannot write to standard output; check where it goes", err);
        return ErrorLine.BAD_INPUT;
    }

    private static CommandLine commandLine(PrintWriter out, PrintWriter err, boolean debug) {
        CommandLine command = Choices.register(new CommandLine(new PregradCommand()))
                .setOut(out)
                .setErr(err)
                // A file may be named @something.
                .setExpandAtFiles(false)
                .setParameterExceptionHandler(new UsageError())
                .setExecutionExceptionHandler((e, commandLine, parsed) -> ErrorLine.print(e, debug, err));
        command.getSubcommands()
                .get("generate-completion")
                .getCommandSpec()
                .usageMessage()
                .hidden(true);
        return command;
    }
}
