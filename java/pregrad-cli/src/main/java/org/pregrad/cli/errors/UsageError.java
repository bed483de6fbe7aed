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

    /** Guesses what a misspelt word was meant to be; picocli's own guesses miss options misspelt in their first letters. */
    private static final class Spelling {
        /** Two letters swapped count as two. */
        private static final int MOST_CHANGES = 2;

        private Spelling() {}

        /** The words that a few changed letters make of {@code typed}, or that it begins; none if it is too short to tell. */
        static List<String> meant(String typed, Collection<String> words) {
            return words.stream()
                    .filter(word -> word.length() > 2 * MOST_CHANGES)
                    .filter(word -> changes(typed, word) <= MOST_CHANGES
                            || (typed.length() > 2 * MOST_CHANGES && word.startsWith(typed)))
                    .sorted()
                    .toList();
        }

        /** Levenshtein's distance. */
        private static int changes(String from, String to) {
            int[] row = new int[to.length() + 1];
            for (int j = 0; j < row.length; j++) {
                row[j] = j;
            }
            for (int i = 1; i <= from.length(); i++) {
                int diagonal = row[0];
                row[0] = i;
                for (int j = 1; j < row.length; j++) {
                    int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                    diagonal = row[j];
                    row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
                }
            }
            return row[to.length()];
        }
    }
}
