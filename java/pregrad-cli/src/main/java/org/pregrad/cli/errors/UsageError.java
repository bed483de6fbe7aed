package org.pregrad.cli.errors;

import java.util.Arrays;
import java.util.Collection;
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
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            return unknown(unmatched.getUnmatched().get(0), command);
        }
        // A misspelt option hides behind the missing one that it was meant to be.
        Optional<String> misspelt =
                e instanceof MissingParameterException ? misspelt(command, arguments) : Optional.empty();
        return misspelt.isPresent()
                ? unknown(misspelt.get(), command)
                : lowerCaseFirst(e.getMessage()) + "; " + name(command) + " --help explains it";
    }

    private static String unknown(String argument, CommandLine command) {
        boolean option = argument.startsWith("-");
        boolean subcommand = !option && !command.getSubcommands().isEmpty();
        Collection<String> words = subcommand
                ? command.getSubcommands().keySet()
                : command.getCommandSpec().optionsMap().keySet();
        List<String> meant = Spelling.meant(optionName(argument), words);
        return "unknown " + (option ? "option" : subcommand ? "command" : "argument") + " '" + argument + "'"
                + (meant.isEmpty() ? "" : ", did you mean " + String.join(" or ", meant) + "?")
                + "; " + name(command) + " --help lists what there is";
    }

    private static Optional<String> misspelt(CommandLine command, String[] arguments) {
        return Arrays.stream(arguments)
                .filter(argument -> argument.startsWith("--"))
                .filter(argument -> !command.getCommandSpec().optionsMap().containsKey(optionName(argument)))
                .findFirst();
    }

    private static String optionName(String argument) {
        int value = argument.indexOf('=');
        return value < 0 ? argument : argument.substring(0, value);
    }

    private static String name(CommandLine command) {
        return command.getCommandSpec().qualifiedName();
    }

    private static String lowerCaseFirst(String message) {
        return message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
    }
}
