package org.pregrad.internal.isolation;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.pregrad.InputException;
import org.pregrad.internal.Calls;
import org.pregrad.internal.RecordWriter;
import org.pregrad.internal.Records;

/**
 * A call on its way to the child: its number, its name and its arguments. An input stands among these as source and number
 * of values; the values follow the message, each input's at a multiple of {@link #ALIGNMENT}.
 */
final class Request {
    /** In bytes; native code reads an input that begins so fastest. */
    private static final int ALIGNMENT = 64;

    /** Stands in the place of a method's name. */
    private static final String INTERRUPT = "";

    private static final Map<String, Method> METHODS = Arrays.stream(Calls.class.getMethods())
            .collect(Collectors.toUnmodifiableMap(Method::getName, Function.identity()));

    private final byte[] message;
    private final List<Part> parts;

    private Request(byte[] message, List<Part> parts) {
        this.message = message;
        this.parts = parts;
    }

    /** The call as the child is told it. */
    static Request of(long number, Method method, Object[] arguments) {
        Object[] sent = arguments.clone();
        List<Part> parts = new ArrayList<>();
        Class<?>[] types = method.getParameterTypes();
        for (int i = 0; i < types.length; i++) {
            if (types[i] == Object.class) {
                Part part = Part.of((int) sent[i - 1], sent[i], (long) sent[i + 1], (long[]) sent[i + 2]);
                parts.add(part);
                sent[i - 1] = part.source();
                sent[i] = described(part);
                sent[i + 1] = 0L;
            } else if (types[i] == Object[].class) {
                long[] layout = ((long[]) sent[i + 1]).clone();
                sent[i] = take((Object[]) sent[i], layout, parts);
                sent[i + 1] = layout;
            } else if (types[i] == double[][][].class) {
                sent[i] = sizes((double[][][]) sent[i]);
            }
        }
        RecordWriter message = Message.begun(number);
        message.add(method.getName());
        message.add(total(parts));
        Values.write(sent, message);
        return new Request(Message.finished(message), List.copyOf(parts));
    }

    /** Takes the inputs out of `data`, and says in `layout` where the child has them. */
    private static Object[] take(Object[] data, long[] layout, List<Part> parts) {
        Object[] described = new Object[data.length];
        int begin = 0;
        for (int i = 0; i < data.length; i++) {
            int axes = (int) layout[begin + 3];
            long[] shape = Arrays.copyOfRange(layout, begin + 4, begin + 4 + axes);
            Part part = Part.of((int) layout[begin], data[i], layout[begin + 1], shape);
            parts.add(part);
            described[i] = described(part);
            layout[begin] = part.source();
            layout[begin + 1] = 0;
            begin += 4 + axes;
        }
        return described;
    }

    private static long[] described(Part part) {
        return new long[] {part.source(), part.count()};
    }

    private static long[] sizes(double[][][] entries) {
        return Arrays.stream(entries).mapToLong(entry -> entry[0].length).toArray();
    }

    private static long total(List<Part> parts) {
        long total = 0;
        for (Part part : parts) {
            total = aligned(total) + part.bytes();
        }
        if (total > Integer.MAX_VALUE - 2 * ALIGNMENT) {
            throw new InputException("the inputs have " + total + " bytes, and an isolated model takes "
                    + Integer.MAX_VALUE + " at a time: give a smaller batch");
        }
        return total;
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** Word that the thread of a call was interrupted. */
    static Request interrupt(long number) {
        RecordWriter message = Message.begun(number);
        message.add(INTERRUPT);
        message.add(0L);
        Values.write(new Object[0], message);
        return new Request(Message.finished(message), List.of());
    }

    /** Writes the call and its inputs. */
    void write(OutputStream to) throws IOException {
        // Before anything is written, since there may be no memory for it.
        byte[] chunk = new byte[(int) Math.min(Part.CHUNK, aligned(largest()))];
        to.write(message);
        if (!parts.isEmpty()) {
            long end = 0;
            for (Part part : parts) {
                to.write(new byte[(int) (aligned(end) - end)]);
                part.write(to, chunk);
                end = aligned(end) + part.bytes();
            }
        }
        to.flush();
    }

    private long largest() {
        return parts.stream().mapToLong(Part::bytes).max().orElse(0);
    }

    /** A call as the child reads it, or without a method word that a call with that number was interrupted. */
    record Received(long number, Method method, int inputBytes, Object[] arguments) {
        static Received of(byte[] message) {
            Records records = new Records(message);
            return new Received(
                    records.integer(), METHODS.get(records.text()), Math.toIntExact(records.integer()), (Object[])
                            Values.read(records));
        }

        boolean isInterrupt() {
            return method == null;
        }

        /** Memory for the values behind the message. */
        static ByteBuffer memory(int bytes) {
            // Both ends of a slice are aligned, towards its middle.
            return ByteBuffer.allocateDirect(bytes + 2 * ALIGNMENT).alignedSlice(ALIGNMENT);
        }

        /** Makes the call; `inputs` holds the values that stood behind the message. */
        Object call(Calls calls, ByteBuffer inputs) throws ReflectiveOperationException {
            Class<?>[] types = method.getParameterTypes();
            Object[] given = arguments.clone();
            int[] begin = {0};
            double[][][] filled = null;
            for (int i = 0; i < types.length; i++) {
                if (types[i] == int.class) {
                    given[i] = (int) (long) given[i];
                } else if (types[i] == Object.class) {
                    given[i] = view((long[]) given[i], inputs, begin);
                } else if (types[i] == Object[].class) {
                    given[i] = Arrays.stream((Object[]) given[i])
                            .map(described -> view((long[]) described, inputs, begin))
                            .toArray();
                } else if (types[i] == double[][][].class) {
                    filled = arrays((long[]) given[i]);
                    given[i] = filled;
                }
            }
            Object result = method.invoke(calls, given);
            return filled == null ? result : filled;
        }

        private static Object view(long[] described, ByteBuffer inputs, int[] begin) {
            Part part = new Part((int) described[0], null, 0, (int) described[1]);
            int from = (int) aligned(begin[0]);
            begin[0] = from + (int) part.bytes();
            return part.view(inputs.slice(from, (int) part.bytes()));
        }

        private static double[][][] arrays(long[] sizes) {
            return Arrays.stream(sizes)
                    .mapToObj(size -> new double[4][(int) size])
                    .toArray(double[][][]::new);
        }
    }
}
