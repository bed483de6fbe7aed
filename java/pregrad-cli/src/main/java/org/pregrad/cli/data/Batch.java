package org.pregrad.cli.data;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.pregrad.Input;
import org.pregrad.Inputs;
import org.pregrad.ModelInput;

/**
 * Samples that follow each other in a data set.
 *
 * @param first    number of the first sample in the whole data set, from 0
 * @param samples  how many
 * @param parts    what goes into the model, by the names of its inputs
 * @param labels   per sample; null if the data set was opened without labels
 * @param clusters one per sample; null if all are cluster 0
 * @param corrupt  inputs that others are held against, by their names; empty unless they are read
 */
// Copies of the arrays would cost a batch each, and nobody compares batches.
@SuppressWarnings("ArrayRecordComponent")
public record Batch(long first, int samples, List<Part> parts, Part labels, long[] clusters, List<Part> corrupt) {
    /**
     * The samples' part of one array.
     *
     * @param name   the model's name of the input; empty for the only one
     * @param values {@code FloatBuffer}, {@code DoubleBuffer}, {@code LongBuffer} or, of booleans, {@code ByteBuffer}, direct
     *               for inputs; valid until the next but one batch is read, or longer as {@link Dataset#keep} says
     * @param shape  samples first, unless it is shared by all samples
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Part(String name, Buffer values, long[] shape, boolean shared) {
        /** The part as the model takes it. */
        public Input input() {
            if (values instanceof FloatBuffer floats) {
                return Input.of(floats, shape);
            }
            if (values instanceof DoubleBuffer doubles) {
                return Input.of(doubles, shape);
            }
            if (values instanceof ByteBuffer bytes) {
                return Input.of(booleans(bytes), shape);
            }
            return Input.of((LongBuffer) values, shape);
        }

        private static boolean[] booleans(ByteBuffer bytes) {
            boolean[] booleans = new boolean[bytes.remaining()];
            for (int i = 0; i < booleans.length; i++) {
                booleans[i] = bytes.get(bytes.position() + i) != 0;
            }
            return booleans;
        }
    }

    /** The batch as the model takes it, and with it the mask, which need be none of the model's inputs. */
    public Inputs inputs() {
        return inputs(parts);
    }

    /** The same with the inputs that others are held against. */
    public Inputs inputsWithCorrupt() {
        return inputs(Stream.concat(parts.stream(), corrupt.stream()).toList());
    }

    /** The same without a mask that is none of the model's inputs. */
    public Inputs inputsOf(List<ModelInput> model) {
        return inputs(parts.stream()
                .filter(part -> part.name().equals(InputNames.ONLY) || InputNames.areOf(model, part.name()))
                .toList());
    }

    private static Inputs inputs(List<Part> parts) {
        Part first = parts.get(0);
        if (parts.size() == 1 && first.name().equals(InputNames.ONLY)) {
            return Inputs.of(first.input());
        }
        Inputs inputs = null;
        for (Part part : parts) {
            // The first is never shared: there would be no number of samples yet.
            inputs = inputs == null
                    ? Inputs.of(part.name(), part.input())
                    : part.shared()
                            ? inputs.andShared(part.name(), part.input())
                            : inputs.and(part.name(), part.input());
        }
        return inputs;
    }

    /** The labels as the model's targets are given; null if there are none. */
    public Input targets() {
        return labels == null ? null : labels.input();
    }
}
