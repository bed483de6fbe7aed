package org.pregrad.cli;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;

/** The command line as it can be pasted into a shell. */
final class ShellWords {
    private static final Pattern PLAIN = Pattern.compile("[\\w@%+=:,./-]+");

    private ShellWords() {}

    /** What the whole command was given, from the subcommand's name on. */
    static List<String> arguments(CommandLine subcommand) {
        return subcommand.getParent().getParseResult().originalArgs();
    }

    static String line(String name, List<String> arguments) {
        return Stream.concat(Stream.of(name), arguments.stream())
                .map(ShellWords::quoted)
                .collect(Collectors.joining(" "));
    }

    private static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
