package org.pregrad.cli.data;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.pregrad.Input;

/** Hands a batch to the model. */
public final class BatchInput {
    private BatchInput() {}

    public static Input of(Batch batch) {
        if (batch.inputs() instanceof FloatBuffer floats) {
            return Input.of(floats, batch.shape());
        }
        if (batch.inputs() instanceof DoubleBuffer doubles) {
            return Input.of(doubles, batch.shape());
        }
        return Input.of((LongBuffer) batch.inputs(), batch.shape());
    }
}
