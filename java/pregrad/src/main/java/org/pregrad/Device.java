package org.pregrad;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a model runs. */
public final class Device {
    private static final Device CPU = new Device("cpu");
    private static final Pattern SYNTAX = Pattern.compile("cpu|cuda(?::(0|[1-9]\\d{0,2}))?");

    private final String text;

    private Device(String text) {
        this.text = text;
    }

    /** {@return the processor} */
    public static Device cpu() {
        return CPU;
    }

    /**
     * {@return a CUDA device}
     *
     * @param number its number, from 0
     */
    public static Device cuda(int number) {
        return of("cuda:" + number);
    }

    /**
     * {@return the device of that name}
     *
     * @param text {@code cpu}, {@code cuda} (the same as {@code cuda:0}) or {@code cuda:N}
     * @throws ArgumentException if it is none of these; a device that is not there is reported by {@link Model#load}
     */
    public static Device of(String text) {
        Matcher matcher = SYNTAX.matcher(text);
        if (!matcher.matches()) {
            throw new ArgumentException("unknown device '" + text + "': use cpu, cuda or cuda:N with N from 0 to 999");
        }
        return text.equals("cpu") ? CPU : new Device("cuda:" + (matcher.group(1) == null ? "0" : matcher.group(1)));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Device && ((Device) other).text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** {@return the text that {@link #of(String)} reads} */
    @Override
    public String toString() {
        return text;
    }
}
