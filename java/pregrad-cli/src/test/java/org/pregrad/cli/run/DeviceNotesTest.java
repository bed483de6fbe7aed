package org.pregrad.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeviceNotesTest {
    private static final String WAITS = "CUDA error: operation not permitted when stream is capturing";

    private final List<String> told = new ArrayList<>();
    private final DeviceNotes notes = new DeviceNotes(told::add);

    @Test
    void nothingIsToldWhereAllIsWell() {
        notes.look(64, 0, Optional.empty());
        assertThat(told).isEmpty();
    }

    @Test
    void aGraphThatCannotBeRecordedIsToldOnce() {
        notes.look(64, 0, Optional.empty());
        notes.look(64, 0, Optional.of(WAITS));
        notes.look(64, 0, Optional.of(WAITS));
        assertThat(told)
                .containsExactly("some batches run without a CUDA graph (" + WAITS + "): the scores are the same, and"
                        + " --no-cuda-graphs saves the attempt");
    }

    @Test
    void whatPositionsTakeIsToldWhereItIsMuch() {
        notes.tellMemory(900_000_000);
        assertThat(told).isEmpty();
        notes.tellMemory(2_345_000_000L);
        assertThat(told)
                .containsExactly(
                        "the scores of all positions will take about 2.3 GB of memory; fewer layers, methods or"
                                + " clusters, or --positions together, take less");
    }

    @Test
    void memoryThatRanOutIsToldWithoutWhatFollowsFromIt() {
        notes.look(64, 1, Optional.of("the device has too little memory"));
        notes.look(32, 3, Optional.of("the device has too little memory"));
        assertThat(told).singleElement().asString().startsWith("a batch of 64 samples did not fit");
    }
}
