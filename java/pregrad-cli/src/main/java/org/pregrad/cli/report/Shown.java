package org.pregrad.cli.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Numbers as people read them. */
final class Shown {
    private static final String NONE = "\u2013";

    private static final double LARGE = 1000;

    private Shown() {}

    /** With so many significant digits; a dash for what is no number. */
    static String number(double value, int digits) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? NONE : value > 0 ? "\u221e" : "\u2212\u221e";
        }
        BigDecimal rounded = new BigDecimal(value, new MathContext(digits));
        double size = Math.abs(value);
        String text = size == 0 || (size >= 1e-4 && size < 1e6)
                ? plain(rounded)
                : rounded.stripTrailingZeros().toString().replace("E+", "E");
        return text.replace('-', '\u2212');
    }

    /** With three decimals, so that a column of shares lines up; large numbers as {@link #number} has them. */
    static String decimals(double value) {
        if (!Double.isFinite(value) || Math.abs(value) >= LARGE) {
            return number(value, 4);
        }
        BigDecimal rounded = new BigDecimal(value).setScale(3, RoundingMode.HALF_EVEN);
        return rounded.toPlainString().replace('-', '\u2212');
    }

    private static String plain(BigDecimal value) {
        BigDecimal stripped = value.stripTrailingZeros();
        return (stripped.scale() < 0 ? stripped.setScale(0) : stripped).toPlainString();
    }
}
