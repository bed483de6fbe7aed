package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A first part of what {@code tests/reliability} does at length, each in a JVM of its own that checks native calls. */
class ReliabilityTest {
    @TempDir
    private Path folder;

    private Child run(Class<?> main, List<String> options, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(
                "-Dpregrad.fixtures=" + Fixtures.folder(),
                "-Dpregrad.libtorch=" + System.getProperty("pregrad.libtorch", "")));
        all.addAll(options);
        return Child.run(folder, main, Child.CLASS_PATH, all, Map.of(), arguments)
                .succeeded();
    }

    @Test
    void sixteenThreadsCloseCancelInterruptAndCollect() throws Exception {
        assertThat(run(Storm.class, List.of(), "1", "10").out())
                .containsExactly("10 rounds, done true, refused true, handles left 0");
    }

    @Test
    void aFullHeapLeavesAllAsItWas() throws Exception {
        assertThat(run(SmallHeap.class, List.of("-Xmx24m", "-XX:+UseSerialGC"), "1", "40")
                        .out())
                .containsExactly("ran out true, not always true");
    }

    @Test
    void optionsThatNoJavaPacksAreRefused() throws Exception {
        assertThat(run(OptionMessages.class, List.of(), "1", "2000").out())
                .containsExactly("opened true, handles left 0");
    }
}
