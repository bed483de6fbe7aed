package org.pregrad.internal.isolation;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.pregrad.internal.CallsHere;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;

/** The process of an isolated model: makes the calls that come in, and ends when the pipe does. */
final class Child {
    /** Where the launcher puts the pipe for results; what is printed must not get between them. */
    static final String RESULTS = "/dev/fd/3";

    private static final int FAILED = 1;

    /** More than that is not kept for the next call. */
    private static final int MOST_KEPT = 1 << 26;

    private final FileChannel requests = new FileInputStream(FileDescriptor.in).getChannel();
    private final OutputStream results;
    private final ConcurrentLinkedDeque<ByteBuffer> kept = new ConcurrentLinkedDeque<>();
    private final ConcurrentHashMap<Long, Running> running = new ConcurrentHashMap<>();
    /** Whoever waits shortest is next, so that a caller that is alone is served by one thread, with its caches. */
    private final ExecutorService workers = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "pregrad-call");
        thread.setDaemon(true);
        return thread;
    });

    private Child(OutputStream results) {
        this.results = results;
    }

    public static void main(String[] arguments) {
        int code = 0;
        try (OutputStream results = new FileOutputStream(RESULTS)) {
            Child child = new Child(results);
            while (child.takeOne()) {
                // Until the parent ends or has closed all.
            }
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            // The parent tells the last line.
            System.err.println(e);
            code = FAILED;
        }
        if (Loader.isLoaded()) {
            Native.leaveRunningCallsAtExit();
        }
        Runtime.getRuntime().halt(code);
    }

    /** Reads a call and lets it run; false if there will be none any more. */
    private boolean takeOne() throws IOException {
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
        if (!read(length)) {
            return false;
        }
        ByteBuffer message = ByteBuffer.allocate((int) length.getLong(0));
        if (!read(message)) {
            return false;
        }
        Request.Received call = Request.Received.of(message.array());
        if (call.isInterrupt()) {
            Running interrupted = running.get(call.number());
            if (interrupted != null) {
                interrupted.interrupt();
            }
            return true;
        }
        ByteBuffer inputs = null;
        try {
            inputs = memory(call.inputBytes());
        } catch (OutOfMemoryError e) {
            skip(call.inputBytes());
            answer(Reply.failed(call.number(), e));
            return true;
        }
        inputs.clear().limit(call.inputBytes());
        if (!read(inputs)) {
            return false;
        }
        ByteBuffer filled = inputs;
        Running begun = new Running();
        running.put(call.number(), begun);
        workers.execute(() -> run(call, filled, begun));
        return true;
    }

    private void run(Request.Received call, ByteBuffer inputs, Running begun) {
        byte[] reply;
        begun.begin();
        try {
            Object result = call.call(CallsHere.HERE, inputs.clear());
            boolean isLast = call.method().getName().equals("release") && Native.liveHandles() == 0;
            reply = Reply.succeeded(call.number(), result, isLast);
        } catch (InvocationTargetException e) {
            reply = Reply.failed(call.number(), e.getCause());
        } catch (ReflectiveOperationException | RuntimeException | OutOfMemoryError e) {
            reply = Reply.failed(call.number(), e);
        } finally {
            running.remove(call.number());
            begun.end();
        }
        keep(inputs);
        answer(reply);
    }

    private void answer(byte[] reply) {
        synchronized (results) {
            try {
                results.write(reply);
            } catch (IOException e) {
                // The parent is gone, and the end of its pipe ends this process.
            }
        }
    }

    /** A call whose thread can be interrupted, before it has one and as long as the call runs. */
    private static final class Running {
        private Thread thread;
        private boolean isInterrupted;

        synchronized void begin() {
            thread = Thread.currentThread();
            if (isInterrupted) {
                thread.interrupt();
            }
        }

        synchronized void interrupt() {
            isInterrupted = true;
            if (thread != null) {
                thread.interrupt();
            }
        }

        /** The thread serves another call next. */
        synchronized void end() {
            thread = null;
            Thread.interrupted();
        }
    }

    private ByteBuffer memory(int bytes) {
        ByteBuffer last = kept.pollLast();
        return last != null && last.capacity() >= bytes ? last : Request.Received.memory(bytes);
    }

    private void keep(ByteBuffer memory) {
        if (memory.capacity() <= MOST_KEPT) {
            kept.addLast(memory);
        }
    }

    /** Fills the buffer; false at the end of the pipe. */
    private boolean read(ByteBuffer to) throws IOException {
        while (to.hasRemaining()) {
            if (requests.read(to) < 0) {
                return false;
            }
        }
        return true;
    }

    private void skip(int bytes) throws IOException {
        ByteBuffer part = ByteBuffer.allocate(Part.CHUNK);
        for (int left = bytes; left > 0; left -= part.capacity()) {
            part.clear().limit(Math.min(left, part.capacity()));
            read(part);
        }
    }
}
