package org.pregrad.cli.data;

import java.nio.Buffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.pregrad.Input;

/**
 * Samples that follow each other in a data set.
 *
 * @param first    number of the first sample in the whole data set, from 0
 * @param inputs   direct {@code FloatBuffer}, {@code DoubleBuffer} or {@code LongBuffer} with the samples' values; valid
 *                 until the next but one batch is read, or longer as {@link Dataset#keep} says
 * @param shape    shape of the inputs, samples first
 * @param labels   one per sample; null if the data set was opened without labels
 * @param clusters one per sample; null if all are cluster 0
 */
// Copies of the arrays would cost a batch each, and nobody compares batches.
@SuppressWarnings("ArrayRecordComponent")
public record Batch(long first, Buffer inputs, long[] shape, long[] labels, long[] clusters) {
    /** Number of samples. */
    public int samples() {
        return (int) shape[0];
    }

    /** The batch as the model takes it. */
    public Input input() {
        if (inputs instanceof FloatBuffer floats) {
            return Input.of(floats, shape);
        }
        if (inputs instanceof DoubleBuffer doubles) {
            return Input.of(doubles, shape);
        }
        return Input.of((LongBuffer) inputs, shape);
    }
}
