package org.pregrad.internal;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A native object, shared by threads: uses are counted, and closing waits for them. If nobody closes it, the garbage
 * collector does and a warning says so.
 */
public final class Handle {
    private static final System.Logger LOG = System.getLogger("org.pregrad");
    private static final Cleaner CLEANER = Cleaner.create();
    /** The sign bit of the count; set for good by the first close. */
    private static final int CLOSED = Integer.MIN_VALUE;

    private final AtomicInteger users = new AtomicInteger();
    private final String text;
    private final Leak leak;
    private final Cleaner.Cleanable backup;
    private boolean released;

    /** What is done with a native handle where it lives. */
    public interface Use<R> {
        R apply(Calls calls, long id);
    }

    /** The same without a result. */
    public interface Run {
        void accept(Calls calls, long id);
    }

    /**
     * @param calls those of the process in which the object lives
     * @param id the native handle, now owned by this object
     * @param text what it is, for messages, e.g. {@code Model digits-cnn.pt}
     */
    public Handle(Calls calls, long id, String text) {
        this.text = text;
        leak = new Leak(calls, id, text);
        backup = CLEANER.register(this, leak);
    }

    /** Runs `use` with the native handle, which stays alive as long. */
    public <R> R use(Use<R> use) {
        enter();
        try {
            return use.apply(leak.calls, leak.id);
        } finally {
            leave();
        }
    }

    /** Runs `use` with the native handle, which stays alive as long. */
    public void run(Run use) {
        enter();
        try {
            use.accept(leak.calls, leak.id);
        } finally {
            leave();
        }
    }

    /** Refuses new uses, waits for running ones, and releases the native object; the second time it does nothing. */
    public void close() {
        users.getAndUpdate(count -> count | CLOSED);
        boolean interrupted = false;
        synchronized (users) {
            while (users.get() != CLOSED) {
                try {
                    users.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (!released) {
                released = true;
                leak.closed = true;
                backup.clean();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return text;
    }

    private void enter() {
        int count;
        do {
            count = users.get();
            if (count < 0) {
                throw new IllegalStateException(text + " is closed: use it inside its try block");
            }
        } while (!users.compareAndSet(count, count + 1));
    }

    private void leave() {
        if (users.decrementAndGet() == CLOSED) {
            synchronized (users) {
                users.notifyAll();
            }
        }
    }

    /** What is left when the handle itself is unreachable. */
    private static final class Leak implements Runnable {
        private final Calls calls;
        private final long id;
        private final String text;
        private boolean closed;

        private Leak(Calls calls, long id, String text) {
            this.calls = calls;
            this.id = id;
            this.text = text;
        }

        @Override
        public void run() {
            if (!closed) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "{0} was never closed: its native memory was held until now; use try-with-resources",
                        text);
            }
            calls.release(id);
        }
    }
}
