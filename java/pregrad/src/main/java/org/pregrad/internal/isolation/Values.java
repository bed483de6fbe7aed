package org.pregrad.internal.isolation;

import org.pregrad.internal.RecordWriter;
import org.pregrad.internal.Records;

/** Writes and reads arguments and results of calls, each with its type before it. */
final class Values {
    private static final int NOTHING = 0;
    private static final int INTEGER = 1;
    private static final int TRUTH = 2;
    private static final int BYTES = 3;
    private static final int INTEGERS = 4;
    private static final int FLOATS = 5;
    private static final int REALS = 6;
    private static final int LIST = 7;

    private Values() {}

    static void write(Object value, RecordWriter to) {
        if (value == null) {
            to.add(NOTHING);
        } else if (value instanceof Integer || value instanceof Long) {
            to.add(INTEGER);
            to.add(((Number) value).longValue());
        } else if (value instanceof Boolean truth) {
            to.add(TRUTH);
            to.add(truth ? 1 : 0);
        } else if (value instanceof byte[] bytes) {
            to.add(BYTES);
            to.add(bytes);
        } else if (value instanceof long[] integers) {
            to.add(INTEGERS);
            to.add(integers);
        } else if (value instanceof float[] floats) {
            to.add(FLOATS);
            to.add(floats);
        } else if (value instanceof double[] reals) {
            to.add(REALS);
            to.add(reals);
        } else if (value instanceof Object[] list) {
            to.add(LIST);
            to.add(list.length);
            for (Object each : list) {
                write(each, to);
            }
        } else {
            throw new IllegalArgumentException("no message holds a " + value.getClass());
        }
    }

    static Object read(Records from) {
        int type = (int) from.integer();
        switch (type) {
            case NOTHING:
                return null;
            case INTEGER:
                return from.integer();
            case TRUTH:
                return from.integer() != 0;
            case BYTES:
                return from.bytes();
            case INTEGERS:
                return from.longs();
            case FLOATS:
                return from.floats();
            case REALS:
                return from.reals();
            case LIST:
                Object[] list = new Object[Math.toIntExact(from.integer())];
                for (int i = 0; i < list.length; i++) {
                    list[i] = read(from);
                }
                return list;
            default:
                throw new IllegalArgumentException("no value has the type " + type);
        }
    }
}
