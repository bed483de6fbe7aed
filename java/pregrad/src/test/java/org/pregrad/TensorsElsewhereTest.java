package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** On a LibTorch of the user's own everything works but tensors of JavaCPP, which live in the presets' one. */
class TensorsElsewhereTest {
    @BeforeAll
    static void onlyWithoutPresets() {
        assumeFalse(Presets.areUsed(), "pregrad.libtorch is not set");
    }

    @Test
    void theUsersLibTorchRuns() {
        assertThat(PreGrad.libraryInfo().libtorch()).startsWith(System.getProperty("pregrad.libtorch"));
    }

    @Test
    void tensorsAreRefused() {
        assertThatThrownBy(() -> Probe.builder().open())
                .isExactlyInstanceOf(ArgumentException.class)
                .hasMessage("tensors of JavaCPP live in the LibTorch of its presets, but pregrad.libtorch is set: "
                        + "give arrays or buffers, or do not set it");
    }
}
