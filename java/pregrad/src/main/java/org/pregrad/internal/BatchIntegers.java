package org.pregrad.internal;

/**
 * The integers of a batch in one array, since every array that native code reads costs as much as a small layer:
 * the number of axes, the shape, the labels per sample, then labels and clusters, each after its count, which is -1 for
 * null.
 */
public final class BatchIntegers {
    /** A thread keeps no more than this between its batches. */
    private static final int MOST_KEPT = 1 << 14;

    /** Memory that the last batch left in the processor's caches, where a new array is in none. */
    private static final ThreadLocal<long[]> KEPT = ThreadLocal.withInitial(() -> new long[0]);

    private BatchIntegers() {}

    /**
     * {@return the array, which the thread's next batch overwrites}
     *
     * @param shape of the inputs; empty where the inputs know it
     * @param labels [N · perSample], or null
     * @param clusters likewise
     */
    public static long[] pack(long[] shape, long[] labels, long[] clusters, int perSample) {
        long[] all = array(4 + shape.length + length(labels) + length(clusters));
        all[0] = shape.length;
        System.arraycopy(shape, 0, all, 1, shape.length);
        int end = 1 + shape.length;
        all[end++] = perSample;
        end = put(labels, all, end);
        put(clusters, all, end);
        return all;
    }

    private static long[] array(int size) {
        long[] kept = KEPT.get();
        if (kept.length == size) {
            return kept;
        }
        long[] made = new long[size];
        if (size <= MOST_KEPT) {
            KEPT.set(made);
        }
        return made;
    }

    private static int length(long[] values) {
        return values == null ? 0 : values.length;
    }

    private static int put(long[] values, long[] all, int end) {
        if (values == null) {
            all[end] = -1;
            return end + 1;
        }
        all[end] = values.length;
        System.arraycopy(values, 0, all, end + 1, values.length);
        return end + 1 + values.length;
    }
}
