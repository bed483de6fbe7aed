package org.pregrad.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Keeps OpenBLAS's worker threads from spinning against LibTorch's OpenMP threads, which costs a factor of two to three.
 * OpenBLAS reads how long they spin from the environment, once, when it is loaded.
 */
final class OpenBlas {
    private static final String VARIABLE = "OPENBLAS_THREAD_TIMEOUT";
    private static final String SHORT = "4";

    private static volatile String setting = "not used";

    private OpenBlas() {}

    /** To be called after libpregrad_boot.so and before LibTorch is loaded. */
    static void tame() {
        String users = Boot.environment(VARIABLE);
        if (users != null) {
            setting = VARIABLE + "=" + users + " (set by the user)";
        } else if (isLoaded()) {
            setting = VARIABLE + " not set: OpenBLAS was loaded before PreGrad";
            System.getLogger("org.pregrad")
                    .log(
                            System.Logger.Level.WARNING,
                            "OpenBLAS was loaded before PreGrad, so its threads may slow LibTorch down two to three times: use "
                                    + "PreGrad first, or start the JVM with " + VARIABLE + "=" + SHORT
                                    + " in its environment");
        } else {
            Boot.setEnvironment(VARIABLE, SHORT, false);
            setting = VARIABLE + "=" + SHORT + " (set by PreGrad)";
        }
    }

    static String setting() {
        return setting;
    }

    private static boolean isLoaded() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.anyMatch(line -> line.contains("/libopenblas"));
        } catch (IOException e) {
            return false;
        }
    }
}
