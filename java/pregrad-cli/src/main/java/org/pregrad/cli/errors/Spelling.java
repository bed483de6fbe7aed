package org.pregrad.cli.errors;

import java.util.Collection;
import java.util.List;

/** Guesses what a misspelt word was meant to be. */
final class Spelling {
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
