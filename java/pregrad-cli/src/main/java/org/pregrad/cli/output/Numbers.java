package org.pregrad.cli.output;

import com.fasterxml.jackson.core.io.NumberOutput;

/** Numbers as text. */
final class Numbers {
    private Numbers() {}

    /** The shortest text that reads back as the same number, the same with every JDK (17's own is not always the shortest). */
    static String exact(double value) {
        return NumberOutput.toString(value, true);
    }
}
