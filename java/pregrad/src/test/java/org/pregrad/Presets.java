package org.pregrad;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** The LibTorch of the JavaCPP presets; the tests may run on another one, which JavaCPP's tensors know nothing of. */
final class Presets {
    private Presets() {}

    static boolean areUsed() {
        return System.getProperty("pregrad.libtorch", "").isEmpty();
    }

    /** Skips the test elsewhere, and loads them as PreGrad does. */
    static void require() {
        assumeTrue(areUsed(), "pregrad.libtorch is set");
        PreGrad.libraryInfo();
    }
}
