package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.bytedeco.openblas.global.openblas_full;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/** The number of threads reaches all that compute. */
class ThreadsTest {
    @Test
    void threadsReachLibTorchAndOpenBlas() throws Exception {
        Presets.require();
        ExecutorService fresh = Executors.newSingleThreadExecutor();
        try {
            for (int threads : new int[] {3, 1, 2}) {
                PreGrad.setThreads(threads);
                assertThat(openblas_full.openblas_get_num_threads()).isEqualTo(threads);
                assertThat(torch.get_num_threads()).isEqualTo(threads);
            }
            assertThat(fresh.submit(torch::get_num_threads).get()).isEqualTo(2);
        } finally {
            PreGrad.setThreads(Runtime.getRuntime().availableProcessors());
            fresh.shutdown();
        }
    }
}
