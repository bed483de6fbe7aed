package org.pregrad.cli.run;

import java.util.Optional;
import org.pregrad.Ablation;
import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Inputs;
import org.pregrad.Pruning;

/** What batches are added to. */
public interface Accumulator {
    /** @param labels may be null, as may the clusters */
    void add(Inputs inputs, Input labels, long[] clusters);

    /** Whether batches go in with the inputs that others are held against. */
    default boolean takesCorrupt() {
        return false;
    }

    /** How often a batch did not fit into the device's memory. */
    default long batchesSplit() {
        return 0;
    }

    /** Why some batches cannot be recorded as a CUDA graph. */
    default Optional<String> graphRefusal() {
        return Optional.empty();
    }

    /** One of which a checkpoint can keep what was added, as bytes. */
    interface Kept extends Accumulator {
        byte[] save();

        void restore(byte[] state);
    }

    static Kept of(Attribution attribution) {
        return of(attribution, false);
    }

    static Kept of(Attribution attribution, boolean takesCorrupt) {
        return new Kept() {
            @Override
            public boolean takesCorrupt() {
                return takesCorrupt;
            }

            @Override
            public void add(Inputs inputs, Input labels, long[] clusters) {
                attribution.add(inputs, labels, clusters);
            }

            @Override
            public long batchesSplit() {
                return attribution.batchesSplit();
            }

            @Override
            public Optional<String> graphRefusal() {
                return attribution.graphRefusal();
            }

            @Override
            public byte[] save() {
                return attribution.save();
            }

            @Override
            public void restore(byte[] state) {
                attribution.restore(state);
            }
        };
    }

    /** A pruning is measured in one go: there is nothing of it to keep. */
    static Accumulator of(Pruning pruning, boolean labelled) {
        return (inputs, labels, clusters) -> pruning.add(inputs, labelled ? labels : null);
    }

    static Kept of(Ablation ablation) {
        return new Kept() {
            @Override
            public void add(Inputs inputs, Input labels, long[] clusters) {
                ablation.add(inputs, labels, clusters);
            }

            @Override
            public long batchesSplit() {
                return ablation.batchesSplit();
            }

            @Override
            public byte[] save() {
                return ablation.save();
            }

            @Override
            public void restore(byte[] state) {
                ablation.restore(state);
            }
        };
    }
}
