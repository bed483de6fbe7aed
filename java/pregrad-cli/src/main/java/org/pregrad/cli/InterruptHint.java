package org.pregrad.cli;

/** Says how to go on when the process is told to end (Ctrl-C) while this is open. */
final class InterruptHint implements AutoCloseable {
    private final Thread hook;

    /** @param hint runs when the process is told to end */
    InterruptHint(Runnable hint) {
        hook = new Thread(hint, "pregrad-interrupt-hint");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is going down, and the hint is on its way.
        }
    }
}
