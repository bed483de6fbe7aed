package org.pregrad.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.pregrad.Input;

class DeviceNotesTest {
    private static final String WAITS = "CUDA error: operation not permitted when stream is capturing";

    private final List<String> told = new ArrayList<>();
    private final DeviceNotes notes = new DeviceNotes(told::add);

    /** What says so much of its batches, and takes none. */
    private record Saying(long batchesSplit, Optional<String> graphRefusal) implements Accumulator {
        @Override
        public void add(Input inputs, long[] labels, long[] clusters) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] save() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void restore(byte[] state) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void nothingIsToldWhereAllIsWell() {
        notes.look(new Saying(0, Optional.empty()), 64);
        assertThat(told).isEmpty();
    }

    @Test
    void aGraphThatCannotBeRecordedIsToldOnce() {
        notes.look(new Saying(0, Optional.empty()), 64);
        notes.look(new Saying(0, Optional.of(WAITS)), 64);
        notes.look(new Saying(0, Optional.of(WAITS)), 64);
        assertThat(told)
                .containsExactly("some batches run without a CUDA graph (" + WAITS + "): the scores are the same, and"
                        + " --no-cuda-graphs saves the attempt");
    }

    @Test
    void memoryThatRanOutIsToldWithoutWhatFollowsFromIt() {
        notes.look(new Saying(1, Optional.of("the device has too little memory")), 64);
        notes.look(new Saying(3, Optional.of("the device has too little memory")), 32);
        assertThat(told).singleElement().asString().startsWith("a batch of 64 samples did not fit");
    }
}
