package org.pregrad.cli.run;

import java.util.Optional;
import org.pregrad.Ablation;
import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Inputs;
import org.pregrad.Pruning;

/** What batches are added to; what it has of them can be kept as bytes. */
interface Accumulator {
    /** @param labels may be null, as may the clusters */
    void add(Inputs inputs, Input labels, long[] clusters);

    /** Whether batches go in with the inputs that others are held against. */
    default boolean takesCorrupt() {
        return false;
    }

    /** How often a batch did not fit into the device's memory. */
    long batchesSplit();

    /** Why some batches cannot be recorded as a CUDA graph. */
    Optional<String> graphRefusal();

    byte[] save();

    void restore(byte[] state);

    static Accumulator of(Attribution attribution) {
        return of(attribution, false);
    }

    static Accumulator of(Attribution attribution, boolean takesCorrupt) {
        return new Accumulator() {
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
        return new Accumulator() {
            @Override
            public void add(Inputs inputs, Input labels, long[] clusters) {
                pruning.add(inputs, labelled ? labels : null);
            }

            @Override
            public long batchesSplit() {
                return 0;
            }

            @Override
            public Optional<String> graphRefusal() {
                return Optional.empty();
            }

            @Override
            public byte[] save() {
                throw new UnsupportedOperationException();
            }

            @Override
            public void restore(byte[] state) {
                throw new UnsupportedOperationException();
            }
        };
    }

    static Accumulator of(Ablation ablation) {
        return new Accumulator() {
            @Override
            public void add(Inputs inputs, Input labels, long[] clusters) {
                ablation.add(inputs, labels, clusters);
            }

            @Override
            public long batchesSplit() {
                return ablation.batchesSplit();
            }

            @Override
            public Optional<String> graphRefusal() {
                return Optional.empty();
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
