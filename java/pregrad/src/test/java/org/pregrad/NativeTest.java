package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.Text;

/** The native side trusts nothing that Java hands it but addresses. */
class NativeTest {
    private static long model;

    @BeforeAll
    static void load() {
        Loader.load();
        model = Native.loadModel(Text.path(Fixtures.file("digits-mlp.scripted.pt")), Text.utf8("cpu"));
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
        assertThatThrownBy(() -> Native.probeLayers(model)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Native.scoresIndex(model)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void handlesAreNeverUsedTwice() {
        long first = Native.probe(new byte[0][], new int[] {0}, 0, 0, 0);
        assertThat(Native.release(first)).isTrue();
        assertThat(Native.release(first)).isFalse();
        long second = Native.probe(new byte[0][], new int[] {0}, 0, 0, 0);
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
    void resultsThatDoNotFitTheirArrays() {
        Data data = Fixtures.digits().part(0, 2);
        long attribution = Native.attribution(model, new byte[][] {Text.utf8("act1")}, new int[] {0}, 0, 0, 0);
        Native.add(attribution, Native.FLOAT_ARRAY, data.x(), 0, data.shape(), data.y(), null);
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
    void numbersThatMeanNothing() {
        byte[][] layers = {Text.utf8("act1")};
        assertThatThrownBy(() -> Native.attribution(model, layers, new int[] {99}, 0, 0, 0))
                .isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> Native.attribution(model, layers, new int[] {0}, 7, 0, 0))
                .isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> Native.attribution(model, layers, new int[] {0}, 0, 0, 9))
                .isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> Native.forward(model, 99, new float[64], 0, new long[] {1, 64}))
                .isInstanceOf(PreGradException.class);
    }
}
