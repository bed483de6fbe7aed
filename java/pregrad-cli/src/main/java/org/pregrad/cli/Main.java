package org.pregrad.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.pregrad.cli.errors.ErrorLine;
import org.pregrad.cli.errors.UsageError;
import org.pregrad.cli.options.Choices;
import picocli.CommandLine;

/** Runs the command {@code pregrad}. */
public final class Main {
    private static final String DEBUG_OPTION = "--debug";
    private static final String DEBUG_VARIABLE = "PREGRAD_DEBUG";

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
            return commandLine(out, err, debug).execute(arguments);
        } catch (Throwable e) {
            // The command's own handlers see exceptions; errors such as a full heap or a library that does not link end
            // here.
            return ErrorLine.print(e, debug, err);
        }
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
