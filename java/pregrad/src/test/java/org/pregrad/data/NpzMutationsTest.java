package org.pregrad.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The first of those that {@code tests/reliability/npz} tries. */
class NpzMutationsTest {
    private static final int SEEDS = 2000;

    /** Ends what hangs; a hundred times what all seeds take. */
    private static final int PATIENCE_S = 600;

    @TempDir
    private Path folder;

    @Test
    @Timeout(PATIENCE_S)
    void eachIsRefusedOrGivesWhatWasWritten() throws Exception {
        int read = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                read += NpzMutations.attempt(seed, folder) ? 1 : 0;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(read)
                .as("were all refused, the damages would not be where it matters")
                .isGreaterThan(SEEDS / 10);
    }
}
