package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.internal.Native;

/** A service is told to stop while its threads compute. */
class ExitTest {
    private static final int STATUS = 7;

    @TempDir
    private Path folder;

    /** Exits while threads are in native calls of many seconds, each of many backwards. */
    public static final class Main {
        private static final int SAMPLES = 256;
        private static final int THREADS = 8;

        private Main() {}

        public static void main(String[] arguments) throws InterruptedException {
            try (Model model = Model.load(Path.of(arguments[0]));
                    Attribution attribution = model.attribution()
                            .layers("act1")
                            .methods(Method.INTEGRATED_GRADIENTS)
                            .steps(10_000)
                            .open()) {
                Input input = Input.of(new float[SAMPLES * 64], SAMPLES, 64);
                List<Thread> threads = new ArrayList<>();
                for (int i = 0; i < THREADS; i++) {
                    Thread thread = new Thread(() -> {
                        attribution.add(input, new long[SAMPLES], new long[SAMPLES]);
                        System.out.println("a call ended, so that this is no test of one that runs");
                    });
                    thread.setDaemon(true);
                    thread.start();
                    threads.add(thread);
                }
                while (!threads.stream().allMatch(Main::isInNativeCall)) {
                    Thread.onSpinWait();
                }
                System.exit(STATUS);
            }
        }

        private static boolean isInNativeCall(Thread thread) {
            StackTraceElement[] calls = thread.getStackTrace();
            return calls.length > 0
                    && calls[0].isNativeMethod()
                    && calls[0].getClassName().equals(Native.class.getName());
        }
    }

    @Test
    void callsThatRunDoNotCrashAJvmThatExits() throws Exception {
        Presets.require();
        String model = Fixtures.file("digits-mlp.scripted.pt").toString();
        Child child = Child.run(folder, Main.class, Child.CLASS_PATH, List.of(), Map.of(), model);
        assertThat(child.status()).as(child.err()).isEqualTo(STATUS);
        assertThat(child.out()).isEmpty();
        assertThat(child.err()).isEmpty();
    }
}
