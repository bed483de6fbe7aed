package org.pregrad.internal;

/**
 * Keeps OpenBLAS's threads and LibTorch's from waiting for each other, which costs a factor of up to two: a product runs
 * on LibTorch's threads, and OpenBLAS's own, where they are still used, sleep soon. OpenBLAS reads from the environment
 * how long they spin first, once, when it is loaded.
 */
final class OpenBlas {
    private static final String VARIABLE = "OPENBLAS_THREAD_TIMEOUT";
    private static final String SHORT = "4";

    private static volatile String setting = "not used";
    private static boolean usersOwn;
    private static boolean late;

    private OpenBlas() {}

    /** To be called after libpregrad_boot.so and before LibTorch is loaded. */
    static void prepare() {
        // Java keeps the environment as it is when first asked: before PreGrad changes it.
        boolean byUser = System.getenv(VARIABLE) != null;
        String now = Boot.environment(VARIABLE);
        if (now != null && !byUser && Mapped.file(Loader.LIBRARY).isPresent()) {
            // Another class loader's PreGrad was here before.
            setting = VARIABLE + "=" + now + " (set by PreGrad)";
        } else if (now != null) {
            usersOwn = true;
            setting = VARIABLE + "=" + now + " (set by the user)";
        } else if (Mapped.isLoaded("libopenblas")) {
            late = true;
            setting = VARIABLE + " not set: OpenBLAS was loaded before PreGrad";
        } else {
            Boot.setEnvironment(VARIABLE, SHORT, false);
            setting = VARIABLE + "=" + SHORT + " (set by PreGrad)";
        }
    }

    /** To be called after libpregrad.so is loaded. Who sets the variable manages OpenBLAS's threads himself. */
    static void join() {
        if (usersOwn) {
            return;
        }
        if (Native.joinOpenBlasThreads()) {
            String environment = setting;
            setting = environment + ", on LibTorch's threads";
        } else if (late) {
            System.getLogger("org.pregrad")
                    .log(
                            System.Logger.Level.WARNING,
                            "OpenBLAS was loaded before PreGrad, so its threads may slow LibTorch down two to three times: use "
                                    + "PreGrad first, or start the JVM with " + VARIABLE + "=" + SHORT
                                    + " in its environment");
        }
    }

    static String setting() {
        return setting;
    }
}
