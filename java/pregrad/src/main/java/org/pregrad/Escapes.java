package org.pregrad;

/**
 * Text of files and users as it may be printed. Names of layers, inputs and arrays may hold anything; on a terminal or in a
 * log, control characters act, and format characters turn the direction of writing or hide letters. They are printed as
 * {@code \xHH}, {@code \}{@code uHHHH} or {@code \UHHHHHHHH}. The messages of PreGrad's exceptions are so already.
 */
public final class Escapes {
    /** Names of layers and paths of files are shorter. */
    private static final int LONGEST_WORD = 400;

    private static final int LONGEST_MESSAGE = 4000;
    private static final int HEX = 16;

    private Escapes() {}

    /** {@return a message as it may stand in one line: with escapes, and without the middle of what is very long} */
    public static String printable(String message) {
        StringBuilder text = new StringBuilder();
        for (String word : visible(message).split(" ", -1)) {
            text.append(text.length() == 0 ? "" : " ").append(shortened(word, LONGEST_WORD));
        }
        return shortened(text.toString(), LONGEST_MESSAGE);
    }

    /** {@return the text with escapes, in one line} */
    public static String visible(String text) {
        return escaped(text, false);
    }

    /** {@return a name with escapes, its backslashes doubled, so that {@link #unescaped} gives the same name again} */
    public static String escaped(String name) {
        return escaped(name, true);
    }

    /** {@return the name of which {@link #escaped} made this text; a backslash that begins no escape stands for itself} */
    public static String unescaped(String text) {
        StringBuilder name = new StringBuilder();
        for (int at = 0; at < text.length(); ) {
            char next = at + 1 < text.length() ? text.charAt(at + 1) : ' ';
            int digits =
                    switch (next) {
                        case 'x' -> 2;
                        case 'u' -> 4;
                        case 'U' -> 8;
                        default -> 0;
                    };
            int code = text.charAt(at) == '\\' && digits > 0 ? hexadecimal(text, at + 2, digits) : -1;
            if (code >= 0) {
                name.appendCodePoint(code);
                at += 2 + digits;
            } else {
                name.append(text.charAt(at));
                at += text.startsWith("\\\\", at) ? 2 : 1;
            }
        }
        return name.toString();
    }

    private static String escaped(String text, boolean backslashes) {
        StringBuilder escaped = new StringBuilder(text.length());
        text.codePoints().forEach(code -> {
            if (backslashes && code == '\\') {
                escaped.append("\\\\");
            } else if (isPrintable(code)) {
                escaped.appendCodePoint(code);
            } else {
                escaped.append(String.format(code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code));
            }
        });
        return escaped.toString();
    }

    private static boolean isPrintable(int code) {
        return switch (Character.getType(code)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> false;
            default -> true;
        };
    }

    /** The code that so many digits are; -1 if they are none. */
    private static int hexadecimal(String text, int first, int digits) {
        if (first + digits > text.length()) {
            return -1;
        }
        long code = 0;
        for (int at = first; at < first + digits; at++) {
            int digit = Character.digit(text.charAt(at), HEX);
            if (digit < 0) {
                return -1;
            }
            code = code * HEX + digit;
        }
        return code <= Character.MAX_CODE_POINT ? (int) code : -1;
    }

    private static String shortened(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        int head = most * 2 / 3;
        int tail = text.length() - (most - head);
        return text.substring(0, Character.isLowSurrogate(text.charAt(head)) ? head - 1 : head) + "\u2026"
                + text.substring(Character.isLowSurrogate(text.charAt(tail)) ? tail + 1 : tail);
    }
}
