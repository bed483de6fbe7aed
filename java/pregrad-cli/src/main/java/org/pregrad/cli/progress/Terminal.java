package org.pregrad.cli.progress;

import java.io.IOException;

/** What stderr is connected to. */
final class Terminal {
    private Terminal() {}

    /**
     * Whether stderr is a terminal. The JDK tells it only of stdin and stdout together, so a child that has our stderr is
     * asked.
     */
    static boolean isStderr() {
        try {
            Process test = new ProcessBuilder("test", "-t", "2")
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return test.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
