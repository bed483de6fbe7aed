package org.pregrad.internal;

import java.util.Collection;

/**
 * Packs options for native code: fields one after the other, each a name, a type and a value. Native code keeps its
 * default for what is not there, and refuses by name what it does not know, so that either side may grow.
 */
public final class OptionsWriter {
    private static final int INTEGER = 0;
    private static final int TEXT = 1;
    private static final int INTEGERS = 2;
    private static final int REALS = 3;
    private static final int TEXTS = 4;
    private static final int NESTED = 5;

    private final RecordWriter records = new RecordWriter();

    public OptionsWriter add(String name, long value) {
        begin(name, INTEGER).add(value);
        return this;
    }

    public OptionsWriter add(String name, boolean value) {
        return add(name, value ? 1 : 0);
    }

    public OptionsWriter add(String name, String value) {
        begin(name, TEXT).add(value);
        return this;
    }

    public OptionsWriter add(String name, int[] values) {
        begin(name, INTEGERS).add(values);
        return this;
    }

    public OptionsWriter add(String name, long[] values) {
        begin(name, INTEGERS).add(values);
        return this;
    }

    public OptionsWriter add(String name, double[] values) {
        begin(name, REALS).add(values);
        return this;
    }

    public OptionsWriter addTexts(String name, Collection<String> values) {
        begin(name, TEXTS).add(values.size());
        values.forEach(records::add);
        return this;
    }

    /** A list of options of their own. */
    public OptionsWriter addAll(String name, Collection<OptionsWriter> values) {
        begin(name, NESTED).add(values.size());
        values.forEach(value -> records.add(value.bytes()));
        return this;
    }

    public byte[] bytes() {
        return records.bytes();
    }

    private RecordWriter begin(String name, int type) {
        records.add(name);
        records.add(type);
        return records;
    }
}
