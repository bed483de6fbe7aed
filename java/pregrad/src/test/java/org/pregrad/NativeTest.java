package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pregrad.internal.BatchIntegers;
import org.pregrad.internal.CallsHere;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.OptionsWriter;
import org.pregrad.internal.Text;

/** The native side trusts nothing that Java hands it but addresses. */
class NativeTest {
    private static long model;

    @BeforeAll
    static void load() {
        Loader.load();
        model = Native.loadModel(Text.path(Fixtures.file("digits-mlp.scripted.pt")), new OptionsWriter().bytes());
    }

    @AfterAll
    static void release() {
        Native.release(model);
    }

    @Test
    void nativeMethodsStandNowhereElse() throws Exception {
        Path classes = Path.of(
                Native.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Set<String> owners = new TreeSet<>();
        try (Stream<Path> files = Files.walk(classes.resolve("org/pregrad"))) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".class")).toList()) {
                String name =
                        classes.relativize(file).toString().replace('/', '.').replaceAll("\\.class$", "");
                for (java.lang.reflect.Method method : Class.forName(name, false, Native.class.getClassLoader())
                        .getDeclaredMethods()) {
                    if (Modifier.isNative(method.getModifiers())) {
                        owners.add(name);
                        assertThat(Modifier.isStatic(method.getModifiers()))
                                .as(method.toString())
                                .isTrue();
                    }
                }
            }
        }
        assertThat(owners).containsExactly("org.pregrad.internal.Boot", "org.pregrad.internal.Native");
    }

    @Test
    void handlesThatAreNotAlive() {
        for (long handle : new long[] {0, -1, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> Native.layers(handle))
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessage("handle " + handle + " is no open Model; do not use it after it was closed");
            assertThat(Native.release(handle)).isFalse();
        }
    }

    @Test
    void handlesOfAnotherType() {
        assertThatThrownBy(() -> Native.scores(model))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage("handle " + model + " is no open Attribution; do not use it after it was closed");
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> Native.curves(model), () -> Native.ablationSave(model), () -> Native.checkResults(model))) {
            assertThatThrownBy(call).isExactlyInstanceOf(IllegalStateException.class);
        }
        assertThatThrownBy(() -> Native.probeLayers(model)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Native.scoresIndex(model)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void handlesAreNeverUsedTwice() {
        long first = Native.probe(Probe.builder().packed());
        assertThat(Native.release(first)).isTrue();
        assertThat(Native.release(first)).isFalse();
        long second = Native.probe(Probe.builder().packed());
        assertThat(second).isNotEqualTo(first);
        Native.release(second);
    }

    @Test
    void shapesBeyondTheData() {
        float[] values = new float[64];
        FloatBuffer buffer = ByteBuffer.allocateDirect(256).asFloatBuffer();
        long[][] shapes = {{2, 64}, {1L << 33, 1L << 33}, {-1, 64}, {Long.MAX_VALUE, 2}};
        for (long[] shape : shapes) {
            assertThatThrownBy(() -> Native.forward(model, Native.FLOAT_ARRAY, values, 0, shape))
                    .isInstanceOf(InputException.class);
            assertThatThrownBy(() -> Native.forward(model, Native.FLOAT_BUFFER, buffer, 0, shape))
                    .isInstanceOf(InputException.class);
        }
        for (long offset : new long[] {-1, 1, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> Native.forward(model, Native.FLOAT_ARRAY, values, offset, new long[] {1, 64}))
                    .isInstanceOf(InputException.class);
            assertThatThrownBy(() -> Native.forward(model, Native.FLOAT_BUFFER, buffer, offset, new long[] {1, 64}))
                    .isInstanceOf(InputException.class);
        }
    }

    @Test
    void arraysThatEndBeforeTheTensorOfTheBatchBefore() {
        long[] shape = {2, 64};
        Native.forward(model, Native.FLOAT_ARRAY, new float[128], 0, shape);
        assertThatThrownBy(() -> Native.forward(model, Native.FLOAT_ARRAY, new float[127], 0, shape))
                .isInstanceOf(InputException.class);
        assertThatThrownBy(() -> Native.forward(model, Native.FLOAT_ARRAY, new float[128], 1L << 32, shape))
                .isInstanceOf(InputException.class);
    }

    @Test
    void integersOfTheSameSizeInAnotherLayout() {
        float[] four = new float[4 * 64];
        long attribution = gradientOfAct1();
        long[] labels = BatchIntegers.pack(new long[] {4, 64}, new long[] {0, 1, 2, 3}, null, 1)
                .clone();
        long[] both = BatchIntegers.pack(new long[] {2, 64}, new long[] {1, 2}, new long[] {7, 8}, 1)
                .clone();
        long[] otherShape = BatchIntegers.pack(new long[] {2, 128}, new long[] {1, 2}, new long[] {7, 8}, 1)
                .clone();
        assertThat(labels).hasSameSizeAs(both);
        for (long[] good : new long[][] {labels, both, labels, both}) {
            Native.add(attribution, Native.FLOAT_ARRAY, four, 0, good);
        }
        assertThatThrownBy(() -> Native.add(attribution, Native.FLOAT_ARRAY, four, 0, otherShape))
                .isInstanceOf(InputException.class);
        Native.add(attribution, Native.FLOAT_ARRAY, four, 0, both);
        Scores scores = Decoder.scores(CallsHere.HERE, Native.scores(attribution));
        assertThat(Stream.of(0, 7, 8).map(cluster -> scores.of("act1", cluster, Method.GRADIENT)
                        .count()))
                .containsExactly(8L, 3L, 3L);
        assertThat(Native.release(attribution)).isTrue();
    }

    @Test
    void batchesWhoseIntegersDoNotFit() {
        Data data = Fixtures.digits().part(0, 2);
        long attribution = gradientOfAct1();
        long[] good = BatchIntegers.pack(data.shape(), data.y(), null, 1).clone();
        for (long[] bad : new long[][] {
            {},
            {-1},
            {Long.MAX_VALUE, 2, 64},
            Arrays.copyOf(good, good.length - 1),
            Arrays.copyOf(good, good.length + 1),
            BatchIntegers.pack(data.shape(), data.y(), null, 0).clone(),
            BatchIntegers.pack(data.shape(), new long[3], null, 2)
        }) {
            assertThatThrownBy(() -> Native.add(attribution, Native.FLOAT_ARRAY, data.x(), 0, bad))
                    .as(Arrays.toString(bad))
                    .isInstanceOf(PreGradException.class);
        }
        Native.add(attribution, Native.FLOAT_ARRAY, data.x(), 0, good);
        assertThat(Native.release(attribution)).isTrue();
    }

    @Test
    void inputsThatAreNotDescribed() {
        Data data = Fixtures.digits().part(0, 2);
        long attribution = gradientOfAct1();
        byte[] only = {0};
        Object[] elements = {data.x(), data.y(), null};
        long[] layout = {
            Native.FLOAT_ARRAY, 0, 0, 2, 2, 64, Native.LONG_ARRAY, 0, 0, 1, 2, Native.NO_INPUT, 0, 0, 0,
        };
        for (int length = 0; length < layout.length; length++) {
            long[] cut = Arrays.copyOf(layout, length);
            assertThatThrownBy(() -> Native.addInputs(attribution, only, elements, cut))
                    .as("%d of %d", length, layout.length)
                    .isExactlyInstanceOf(PreGradException.class);
        }
        for (int[] wrong : new int[][] {{3, -1}, {3, Integer.MAX_VALUE}, {0, 99}, {3, 1}, {11, Native.LONG_ARRAY}}) {
            long[] bad = layout.clone();
            bad[wrong[0]] = wrong[1];
            assertThatThrownBy(() -> Native.addInputs(attribution, only, elements, bad))
                    .as(Arrays.toString(bad))
                    .isInstanceOf(PreGradException.class);
        }
        for (long size : new long[] {-1, 3, Long.MAX_VALUE}) {
            long[] bad = layout.clone();
            bad[4] = size;
            assertThatThrownBy(() -> Native.addInputs(attribution, only, elements, bad))
                    .isInstanceOf(InputException.class);
        }
        assertThatThrownBy(() -> Native.addInputs(attribution, only, new Object[] {data.x()}, layout))
                .isExactlyInstanceOf(PreGradException.class);
        assertThatThrownBy(() -> Native.addInputs(attribution, new byte[0], elements, layout))
                .isInstanceOf(PreGradException.class);
        Native.addInputs(attribution, only, elements, layout);
        assertThat(Decoder.scores(CallsHere.HERE, Native.scores(attribution))
                        .of("act1", 0, Method.GRADIENT)
                        .count())
                .isEqualTo(2);
        assertThat(Native.release(attribution)).isTrue();
    }

    private static long gradientOfAct1() {
        return attribution(new Attribution.Builder(null)
                .layers("act1")
                .methods(Method.GRADIENT)
                .packed());
    }

    private static long attribution(byte[] options) {
        return Native.attribution(model, options, Native.NO_INPUT, null, 0, null);
    }

    @Test
    void resultsThatDoNotFitTheirArrays() {
        Data data = Fixtures.digits().part(0, 2);
        long attribution = gradientOfAct1();
        long[] integers = BatchIntegers.pack(data.shape(), data.y(), null, 1);
        Native.add(attribution, Native.FLOAT_ARRAY, data.x(), 0, integers);
        long snapshot = Native.scores(attribution);
        double[] enough = new double[128];
        assertThatThrownBy(() -> Native.scoresValues(snapshot, 0, enough, enough, new double[127], enough))
                .isInstanceOf(ArrayIndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Native.scoresValues(snapshot, 99, enough, enough, enough, enough))
                .isInstanceOf(PreGradException.class);
        assertThat(Native.release(snapshot)).isTrue();
        assertThat(Native.release(attribution)).isTrue();
    }

    @Test
    void namesThatMeanNothing() {
        String options = new String(
                new Attribution.Builder(null)
                        .layers("act1")
                        .methods(Method.GRADIENT)
                        .packed(),
                StandardCharsets.ISO_8859_1);
        for (String name : List.of("label", "logit", "gradient")) {
            assertThat(options).containsOnlyOnce(name);
            String wrong = options.replace(name, name.substring(1) + "?");
            assertThatThrownBy(() -> attribution(wrong.getBytes(StandardCharsets.ISO_8859_1)))
                    .isExactlyInstanceOf(ArgumentException.class)
                    .hasMessageMatching("there is no (target|output|method) '" + name.substring(1) + "\\?'.*");
        }
        assertThatThrownBy(() -> Native.forward(model, 99, new float[64], 0, new long[] {1, 64}))
                .isInstanceOf(PreGradException.class);
    }

    @Test
    void optionsThatAreCutOff() {
        long live = Native.liveHandles();
        byte[] options = new Attribution.Builder(null)
                .layers("act1")
                .means(List.of(new NeuronConstants("act1", 0, OptionalLong.of(3), new double[] {1, 2})))
                .packed();
        byte[] orders = new Ablation.Builder(null)
                .orders(RemovalOrder.random("act2", 0, 0, 64, 1, 0))
                .packed();
        byte[] checks = new Check.Builder(null).layers("act1").packed();
        Map<byte[], Consumer<byte[]>> calls = Map.of(
                options,
                NativeTest::attribution,
                orders,
                bytes -> Native.ablation(model, bytes),
                checks,
                bytes -> Native.check(model, bytes));
        calls.forEach((bytes, call) -> {
            for (int length = 0; length < bytes.length; length++) {
                byte[] cut = Arrays.copyOf(bytes, length);
                assertThatThrownBy(() -> call.accept(cut))
                        .isExactlyInstanceOf(PreGradException.class)
                        .hasMessage("the packed options are cut off or garbled; use classes and library of one build");
            }
        });
        byte[] endless = options.clone();
        ByteBuffer.wrap(endless).order(ByteOrder.nativeOrder()).putLong(8, Long.MAX_VALUE);
        assertThatThrownBy(() -> attribution(endless)).isExactlyInstanceOf(PreGradException.class);
        assertThat(Native.liveHandles()).isEqualTo(live);
    }
}
