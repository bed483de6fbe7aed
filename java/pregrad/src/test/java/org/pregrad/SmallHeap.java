package org.pregrad;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Calls of which Java finds no memory for the arguments or the result: they end in an {@link OutOfMemoryError}, and later ones
 * compute what they did before. A program: {@code SmallHeap FIRST COUNT}, to be run with a small heap.
 */
public final class SmallHeap {
    private static final int SAMPLES = 64;
    private static final int FEATURES = 64;
    private static final int PIECE = 1 << 12;

    private SmallHeap() {}

    public static void main(String[] arguments) {
        long first = Long.parseLong(arguments[0]);
        long count = Long.parseLong(arguments[1]);
        float[] x = new float[SAMPLES * FEATURES];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i);
        }
        long[] labels = new long[SAMPLES];
        long[] clusters = new long[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            clusters[i] = i;
        }
        long out = 0;
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"))) {
            double expected = sum(model, x, labels, clusters);
            for (long seed = first; seed < first + count; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                List<byte[]> filling = new ArrayList<>();
                try {
                    fill(filling);
                } catch (OutOfMemoryError full) {
                    // The heap is full: so many pieces are free again that a call gets to another of its allocations.
                    for (int free = random.nextInt(1 << random.nextInt(14)); free > 0 && !filling.isEmpty(); free--) {
                        filling.remove(filling.size() - 1);
                    }
                }
                double seen = expected;
                try {
                    seen = sum(model, x, labels, clusters);
                } catch (OutOfMemoryError expectedError) {
                    out++;
                }
                filling.clear();
                check(seed, expected, seen);
                check(seed, expected, sum(model, x, labels, clusters));
            }
        }
        System.out.println("ran out " + (out > 0) + ", not always " + (out < count));
        System.err.println(out + " of " + count + " ran out of memory");
        System.exit(0);
    }

    private static void fill(List<byte[]> filling) {
        for (; ; ) {
            filling.add(new byte[PIECE]);
        }
    }

    private static void check(long seed, double expected, double seen) {
        if (seen != expected) {
            throw new IllegalStateException("seed " + seed + ": " + seen + " instead of " + expected);
        }
    }

    /** Of the scores of a batch, with a state saved and restored on the way. */
    private static double sum(Model model, float[] x, long[] labels, long[] clusters) {
        try (Attribution attribution = model.attribution()
                .layers("act1", "act2")
                .methods(Method.GRADIENT)
                .open()) {
            attribution.add(Input.of(x, SAMPLES, FEATURES), labels, clusters);
            attribution.restore(attribution.save());
            double sum = 0;
            for (Score score : attribution.scores().all()) {
                for (double value : score.mean()) {
                    sum += value;
                }
            }
            return sum;
        }
    }
}
