package org.pregrad.internal;

import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import org.pregrad.ArgumentException;

/**
 * Memory of the caller's that values are written to.
 *
 * @param array  null for a direct buffer
 * @param buffer null for an array
 * @param begin  where the first value goes
 * @param size   how many values there is room for
 */
// Nobody compares them.
@SuppressWarnings("ArrayRecordComponent")
public record Room(double[] array, DoubleBuffer buffer, int begin, int size) {
    /** All of an array. */
    public static Room of(double[] array) {
        return new Room(array, null, 0, array.length);
    }

    /** A buffer from its position to its limit. */
    public static Room of(DoubleBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new ArgumentException("the buffer for the values is read-only: give one that can be written to");
        }
        if (buffer.hasArray()) {
            return new Room(buffer.array(), null, buffer.arrayOffset() + buffer.position(), buffer.remaining());
        }
        if (buffer.isDirect() && buffer.order() == ByteOrder.nativeOrder()) {
            return new Room(null, buffer, buffer.position(), buffer.remaining());
        }
        throw new ArgumentException("the buffer for the values has byte order " + buffer.order()
                + " and this machine " + ByteOrder.nativeOrder()
                + ": call order(ByteOrder.nativeOrder()) on its ByteBuffer first");
    }

    /** Writes values that came some other way than native code's. */
    long put(double[] values) {
        if (values.length > size) {
            throw new ArgumentException("there are " + values.length + " values and room for " + size
                    + ": give memory for all of them, or fewer samples at once");
        }
        if (array != null) {
            System.arraycopy(values, 0, array, begin, values.length);
        } else {
            buffer.put(begin, values);
        }
        return values.length;
    }
}
