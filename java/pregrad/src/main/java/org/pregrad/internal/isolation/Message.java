package org.pregrad.internal.isolation;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.pregrad.internal.RecordWriter;

/** What a {@link Request} and a {@link Reply} have in common: their length in bytes, then the number of the call. */
final class Message {
    private Message() {}

    static RecordWriter begun(long number) {
        RecordWriter message = new RecordWriter();
        message.add(0);
        message.add(number);
        return message;
    }

    /** The bytes to send, with their length, which does not count itself. */
    static byte[] finished(RecordWriter message) {
        byte[] bytes = message.bytes();
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(bytes.length - Long.BYTES);
        return bytes;
    }
}
