package org.pregrad;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Very many calls in one JVM, whose memory must stay what it was. A program: {@code Soak calls|loads COUNT SETTLED MOST}; it
 * fails if its resident memory after COUNT is more than MOST percent above that after SETTLED.
 */
public final class Soak {
    private static final int SAMPLES = 4;
    private static final int FEATURES = 64;
    private static final int REPORTS = 20;
    private static final double PERCENT = 100;
    private static final long[] LABELS = {1, 2, 3, 4};

    private Soak() {}

    public static void main(String[] arguments) throws IOException {
        boolean loads = arguments[0].equals("loads");
        long count = Long.parseLong(arguments[1]);
        long settled = Long.parseLong(arguments[2]);
        double most = Double.parseDouble(arguments[3]);
        PreGrad.setThreads(1);
        Input input = Input.of(new float[SAMPLES * FEATURES], SAMPLES, FEATURES);
        long before = 0;
        long highest = 0;
        try (Model model = load();
                Attribution attribution = open(model)) {
            for (long i = 1; i <= count; i++) {
                if (loads) {
                    try (Model other = load();
                            Attribution its = open(other)) {
                        its.add(input, LABELS);
                        its.scores();
                    }
                } else {
                    attribution.add(input, LABELS);
                    if (attribution.scores().all().get(0).count() != SAMPLES * i) {
                        throw new IllegalStateException("call " + i + " lost a sample");
                    }
                }
                if (i == settled) {
                    System.gc();
                    before = residentKb();
                } else if (i > settled && (i % Math.max(1, count / REPORTS) == 0 || i == count)) {
                    System.gc();
                    highest = Math.max(highest, residentKb());
                    System.err.println(i + " " + residentKb() + " KB");
                }
            }
        }
        double growth = PERCENT * (highest - before) / before;
        System.err.println("from " + before + " to " + highest + " KB, " + growth + " %");
        System.out.println(growth <= most ? "steady" : "grown by " + growth + " %");
        System.exit(growth <= most ? 0 : 1);
    }

    private static Model load() {
        return Model.load(Fixtures.file("digits-mlp.scripted.pt"));
    }

    private static Attribution open(Model model) {
        return model.attribution().layers("act2").methods(Method.GRADIENT).open();
    }

    private static long residentKb() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
