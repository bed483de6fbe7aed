package org.pregrad.internal.isolation;

import org.pregrad.PreGradException;
import org.pregrad.internal.RecordWriter;
import org.pregrad.internal.Records;

/**
 * How a call ended in the child.
 *
 * @param number of the call
 * @param isLast whether nothing is open in the child any more
 * @param failure the class of what it threw; empty if it did not
 * @param message of what it threw
 * @param result what it gave; null for nothing
 */
record Reply(long number, boolean isLast, String failure, String message, Object result) {
    static byte[] succeeded(long number, Object result, boolean isLast) {
        return packed(number, isLast, "", "", result);
    }

    static byte[] failed(long number, Throwable thrown) {
        return packed(number, false, thrown.getClass().getName(), String.valueOf(thrown.getMessage()), null);
    }

    private static byte[] packed(long number, boolean isLast, String failure, String message, Object result) {
        RecordWriter reply = Message.begun(number);
        reply.add(isLast ? 1 : 0);
        reply.add(failure);
        reply.add(message);
        Values.write(result, reply);
        return Message.finished(reply);
    }

    /** Whether the call failed for lack of memory. */
    boolean isOutOfMemory() {
        return failure.equals(OutOfMemoryError.class.getName());
    }

    /** What the call threw, as it would be here. */
    RuntimeException thrown() {
        if (failure.equals(IllegalStateException.class.getName())) {
            return new IllegalStateException(message);
        }
        try {
            // A process whose memory is damaged may send any name.
            Class<?> type = Class.forName(failure, false, PreGradException.class.getClassLoader());
            if (PreGradException.class.isAssignableFrom(type)) {
                return (PreGradException) type.getConstructor(String.class).newInstance(message);
            }
        } catch (ReflectiveOperationException | LinkageError e) {
            // Told as text below.
        }
        return new PreGradException("the process of the isolated model failed (" + failure + ": " + message + ")");
    }

    /** @param message without the number of its bytes */
    static Reply of(byte[] message) {
        Records records = new Records(message);
        return new Reply(
                records.integer(), records.integer() != 0, records.text(), records.text(), Values.read(records));
    }
}
