package org.pregrad.cli.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pregrad.cli.data.Batch;
import org.pregrad.cli.errors.UserException;

@Timeout(2 * BatchesAtOnceTest.WAIT_S)
class BatchesAtOnceTest {
    /** Ends what hangs; what is waited for comes at once. */
    static final int WAIT_S = 600;

    @Test
    void runsAsManyAtOnceAsWereAskedForAndNoMore() throws Exception {
        int most = 3;
        CyclicBarrier together = new CyclicBarrier(most);
        AtomicInteger running = new AtomicInteger();
        AtomicInteger largest = new AtomicInteger();
        Set<Long> added = ConcurrentHashMap.newKeySet();
        try (BatchesAtOnce batches = new BatchesAtOnce(most, batch -> {
            largest.accumulateAndGet(running.incrementAndGet(), Math::max);
            meet(together);
            added.add(batch.first());
            running.decrementAndGet();
        })) {
            for (int i = 0; i < 2 * most; i++) {
                batches.add(batch(i));
            }
            batches.await();
            assertThat(added).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L);
            assertThat(largest).hasValue(most);
        }
    }

    @Test
    void hasRoomForOneMoreWhenItReturns() throws Exception {
        CountDownLatch second = new CountDownLatch(1);
        Set<Long> added = ConcurrentHashMap.newKeySet();
        try (BatchesAtOnce batches = new BatchesAtOnce(2, batch -> {
            if (batch.first() == 1) {
                await(second);
            }
            added.add(batch.first());
        })) {
            batches.add(batch(0));
            batches.add(batch(1));
            assertThat(added).containsExactly(0L); // its memory is about to be overwritten
            second.countDown();
        }
        assertThat(added).containsExactlyInAnyOrder(0L, 1L);
    }

    @Test
    void throwsWhatTheFirstBatchThrewAlthoughALaterOneFailedBefore() throws Exception {
        CountDownLatch laterFailed = new CountDownLatch(1);
        try (BatchesAtOnce batches = new BatchesAtOnce(2, batch -> {
            if (batch.first() == 0) {
                await(laterFailed);
            } else {
                laterFailed.countDown();
            }
            throw new UserException("batch " + batch.first());
        })) {
            batches.add(batch(0));
            assertThatThrownBy(() -> batches.add(batch(1)))
                    .isInstanceOf(UserException.class)
                    .hasMessage("batch 0");
        }
    }

    @Test
    void oneAtATimeRunsOnTheCallersThread() throws Exception {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        try (BatchesAtOnce batches = new BatchesAtOnce(1, batch -> threads.add(Thread.currentThread()))) {
            batches.add(batch(0));
            assertThat(threads).containsExactly(Thread.currentThread());
            batches.await();
        }
    }

    private static Batch batch(int first) {
        Batch.Part input = new Batch.Part("", FloatBuffer.allocate(1), new long[] {1, 1}, false);
        return new Batch(first, 1, List.of(input), null, null, List.of());
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(WAIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(WAIT_S, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
