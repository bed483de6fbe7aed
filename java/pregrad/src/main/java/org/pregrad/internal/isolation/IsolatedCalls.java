package org.pregrad.internal.isolation;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.pregrad.ModelException;
import org.pregrad.PreGradException;
import org.pregrad.internal.Calls;
import org.pregrad.internal.Handle;
import org.pregrad.internal.Loader;

/**
 * Calls made in a process of their own, which serves one model and what is opened of it, and ends when nothing of that is
 * open any more. Any number of threads call at once: their messages take turns, their calls run at the same time.
 */
public final class IsolatedCalls implements InvocationHandler {
    /** These run nothing of the model's; no limit of time concerns them. */
    private static final Set<String> QUICK = Set.of("prepare", "cancelModel");

    private static final int IDLE_S = 1;

    private static final ScheduledThreadPoolExecutor CLOCK = clock();

    private final String text;
    private final Limits limits;
    private final ChildProcess child;
    private final OutputStream requests;
    private final AtomicLong numbers = new AtomicLong();
    private final Map<Long, CompletableFuture<Reply>> running = new ConcurrentHashMap<>();
    /** How the process ended, in words; null as long as it runs. */
    private volatile String ended;
    /** Why it is ended from here. */
    private volatile String verdict;

    private IsolatedCalls(String text, Limits limits) {
        this.text = text;
        this.limits = limits;
        child = ChildProcess.start(limits.memory());
        requests = child.process().getOutputStream();
        Thread reader =
                new Thread(this::read, "pregrad-isolated-" + child.process().pid());
        reader.setDaemon(true);
        reader.start();
    }

    /** Loads a model in a new process. */
    public static Handle load(byte[] path, byte[] options, String text, Limits limits) {
        IsolatedCalls isolated = new IsolatedCalls(text, limits);
        Calls calls =
                (Calls) Proxy.newProxyInstance(Calls.class.getClassLoader(), new Class<?>[] {Calls.class}, isolated);
        try {
            isolated.prepare(calls);
            return new Handle(calls, calls.loadModel(path, options), text);
        } catch (Throwable e) {
            isolated.child.kill();
            throw e;
        }
    }

    private void prepare(Calls calls) {
        try {
            calls.prepare(Loader.threads());
        } catch (ModelException e) {
            if (!ended.startsWith(ChildProcess.BY_ITSELF)) {
                throw e;
            }
            // No file was touched yet.
            throw new PreGradException("cannot run an isolated model: " + ended + "; set -D" + ChildProcess.CLASS_PATH
                    + " to the jars of PreGrad and LibTorch if they are not on this program's class path");
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        if (method.getDeclaringClass() != Calls.class) {
            return object(proxy, method, arguments);
        }
        if (method.isDefault()) {
            return inWordsOfOthers(proxy, method, arguments);
        }
        if (ended != null && method.getName().equals("release")) {
            return true;
        }
        long number = numbers.incrementAndGet();
        Request request = Request.of(number, method, arguments);
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        running.put(number, reply);
        Future<?> end = watch(method);
        try {
            // Once the process is known to have ended nobody answers what was put there after.
            if (ended == null) {
                send(request);
                Reply answer = await(reply, number);
                return answer == null ? lost(method) : result(answer, arguments);
            }
            return lost(method);
        } finally {
            running.remove(number);
            if (end != null) {
                end.cancel(false);
            }
        }
    }

    /** An interrupt is the call's, whose end is awaited all the same; the thread stays interrupted. */
    private Reply await(CompletableFuture<Reply> reply, long number) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return reply.get();
                } catch (InterruptedException e) {
                    if (!interrupted) {
                        send(Request.interrupt(number));
                    }
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw new IllegalStateException(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A call that is made here of one that goes to the process. */
    private static Object inWordsOfOthers(Object proxy, Method method, Object[] arguments) {
        try {
            return InvocationHandler.invokeDefault(proxy, method, arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static Object object(Object proxy, Method method, Object[] arguments) {
        switch (method.getName()) {
            case "equals":
                return proxy == arguments[0];
            case "hashCode":
                return System.identityHashCode(proxy);
            default:
                return "calls in a process of their own";
        }
    }

    private synchronized void send(Request request) {
        try {
            request.write(requests);
        } catch (IOException e) {
            // The process has ended, which the reader tells.
        } catch (RuntimeException | Error e) {
            // Half a message makes all that follow unreadable.
            child.kill();
            throw e;
        }
    }

    private Object result(Reply reply, Object[] arguments) {
        if (reply.isLast()) {
            child.kill();
        }
        if (reply.isOutOfMemory()) {
            throw new ModelException(text + ": the process that runs it has no memory left for this call ("
                    + reply.message() + "): give a smaller batch"
                    + (limits.memory().isPresent()
                            ? " or a memoryLimit above " + limits.memory().getAsLong() + " bytes"
                            : ""));
        }
        if (!reply.failure().isEmpty()) {
            throw reply.thrown();
        }
        for (Object argument : arguments) {
            if (argument instanceof double[][][] filled) {
                fill(filled, (Object[]) reply.result());
                return null;
            }
        }
        return reply.result();
    }

    private static void fill(double[][][] to, Object[] from) {
        for (int i = 0; i < to.length; i++) {
            Object[] values = (Object[]) from[i];
            for (int j = 0; j < to[i].length; j++) {
                System.arraycopy(values[j], 0, to[i][j], 0, to[i][j].length);
            }
        }
    }

    private Object lost(Method method) {
        if (method.getName().equals("release")) {
            return true;
        }
        throw new ModelException(
                text + ": " + ended + "; this program goes on: load the model again, or do without this file");
    }

    /** Ends the process if the call does not end in time. */
    private Future<?> watch(Method method) {
        if (limits.time().isEmpty() || QUICK.contains(method.getName())) {
            return null;
        }
        Duration limit = limits.time().get();
        return CLOCK.schedule(
                () -> {
                    verdict = "a call (" + method.getName() + ") took longer than the time limit of "
                            + TimeUnit.MILLISECONDS.convert(limit) + " ms and did not end in " + Limits.GRACE_S
                            + " s more, so the process that ran it was ended";
                    child.kill();
                },
                // A limit of centuries is one of half of what a clock can count.
                Math.min(TimeUnit.NANOSECONDS.convert(limit), Long.MAX_VALUE / 2)
                        + TimeUnit.SECONDS.toNanos(Limits.GRACE_S),
                TimeUnit.NANOSECONDS);
    }

    /** Its thread ends when nothing is to be watched, as it would keep the class loader otherwise. */
    private static ScheduledThreadPoolExecutor clock() {
        ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1, work -> {
            Thread thread = new Thread(work, "pregrad-isolated-limits");
            thread.setDaemon(true);
            return thread;
        });
        clock.setRemoveOnCancelPolicy(true);
        clock.setKeepAliveTime(IDLE_S, TimeUnit.SECONDS);
        clock.allowCoreThreadTimeOut(true);
        return clock;
    }

    /** Hands results to whoever waits for them, until the process ends. */
    private void read() {
        String damage = null;
        try (DataInputStream results = new DataInputStream(child.process().getInputStream())) {
            while (true) {
                Reply reply = Reply.of(message(results));
                CompletableFuture<Reply> waiting = running.get(reply.number());
                if (waiting != null) {
                    waiting.complete(reply);
                }
            }
        } catch (IOException e) {
            // It has ended.
        } catch (RuntimeException | OutOfMemoryError e) {
            damage = "the process that ran it sent what cannot be read (" + e + ") and was ended";
            child.kill();
        }
        String how = child.ending();
        ended = verdict != null ? verdict : damage != null ? damage : "the process that ran it " + how;
        running.values().forEach(waiting -> waiting.complete(null));
    }

    private static byte[] message(DataInputStream results) throws IOException {
        byte[] length = new byte[Long.BYTES];
        results.readFully(length);
        int size = Math.toIntExact(
                ByteBuffer.wrap(length).order(ByteOrder.nativeOrder()).getLong());
        // It grows with what comes: a damaged length must not take this process's memory.
        byte[] message = results.readNBytes(size);
        if (message.length < size) {
            throw new EOFException();
        }
        return message;
    }
}
