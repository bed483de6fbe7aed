package org.pregrad.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;

/**
 * Packs options for native code: the number of fields, then each one's name, type and value. Native code keeps its
 * default for what is not there, and refuses by name what it does not know, so that either side may grow. By the number
 * it knows that nothing was cut off.
 */
public final class OptionsWriter {
    private static final int INTEGER = 0;
    private static final int TEXT = 1;
    private static final int INTEGERS = 2;
    private static final int REALS = 3;
    private static final int TEXTS = 4;
    private static final int NESTED = 5;

    private final RecordWriter records = new RecordWriter();
    private int fields;

    public OptionsWriter() {
        records.add(fields);
    }

    public OptionsWriter add(String name, long value) {
        begin(name, INTEGER).add(value);
        return this;
    }

    public OptionsWriter add(String name, boolean value) {
        return add(name, value ? 1 : 0);
    }

    public OptionsWriter add(String name, double value) {
        return add(name, new double[] {value});
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
        byte[] bytes = records.bytes();
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(fields);
        return bytes;
    }

    private RecordWriter begin(String name, int type) {
        fields++;
        records.add(name);
        records.add(type);
        return records;
    }
}
