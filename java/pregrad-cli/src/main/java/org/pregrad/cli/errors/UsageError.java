package org.pregrad.cli.errors;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says in one line what is wrong with the options, and what was likely meant. */
public final class UsageError implements IParameterExceptionHandler {
    @Override
    public int handleParseException(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        ErrorLine.print(message(e, command, arguments), command.getErr());
        return ErrorLine.BAD_INPUT;
    }

    private static String message(ParameterException e, CommandLine command, String[] arguments) {
        String name = command.getCommandSpec().qualifiedName();
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            return unknown(unmatched, command);
        }
        // A misspelt option hides behind the missing one that it was meant to be.
        Optional<String> misspelt =
                e instanceof MissingParameterException ? misspelt(command, arguments) : Optional.empty();
        if (misspelt.isPresent()) {
            return unknown(new UnmatchedArgumentException(command, List.of(misspelt.get())), command);
        }
        return lowerCaseFirst(e.getMessage()) + "; " + name + " --help explains it";
    }

    private static String unknown(UnmatchedArgumentException e, CommandLine command) {
        String argument = e.getUnmatched().get(0);
        String kind =
                argument.startsWith("-") ? "option" : command.getSubcommands().isEmpty() ? "argument" : "command";
        String meant =
                e.getSuggestions().isEmpty() ? "" : ", did you mean " + String.join(" or ", e.getSuggestions()) + "?";
        return "unknown " + kind + " '" + argument + "'" + meant + "; "
                + command.getCommandSpec().qualifiedName() + " --help lists what there is";
    }

    private static Optional<String> misspelt(CommandLine command, String[] arguments) {
        return Arrays.stream(arguments)
                .filter(argument -> argument.startsWith("--"))
                .filter(argument -> !command.getCommandSpec().optionsMap().containsKey(argument.split("=", 2)[0]))
                .findFirst();
    }

    private static String lowerCaseFirst(String message) {
        return message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
    }
}
