package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.OptionsWriter;
import org.pregrad.internal.Text;

/** Options travel by name: what one side leaves out keeps its default, what the other does not know is refused. */
class OptionsTest {
    private static byte[] save(OptionsWriter options) {
        Loader.load();
        long model = Native.loadModel(
                Text.path(Fixtures.file("digits-mlp.scripted.pt")),
                new OptionsWriter().add("device", "cpu").bytes());
        try {
            long attribution = Native.attribution(model, options.bytes(), Native.NO_INPUT, null, 0, null);
            try {
                return Native.save(attribution);
            } finally {
                Native.release(attribution);
            }
        } finally {
            Native.release(model);
        }
    }

    private static OptionsWriter layer() {
        return new OptionsWriter().addTexts("layers", List.of("act1"));
    }

    private static void refused(OptionsWriter options, String part) {
        assertThatThrownBy(() -> save(options))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining(part)
                .hasMessageNotContaining("\n");
    }

    @Test
    void defaultsAreThoseOfJava() {
        try (Model model = Model.load(Fixtures.file("digits-mlp.scripted.pt"));
                Attribution attribution = model.attribution()
                        .layers("act1")
                        .methods(Method.GRADIENT)
                        .open();
                Attribution ofPaths = model.attribution()
                        .layers("act1")
                        .methods(Method.INTEGRATED_GRADIENTS, Method.CONDUCTANCE, Method.ABLATION)
                        .open()) {
            assertThat(save(layer())).isEqualTo(attribution.save());
            List<String> methods = List.of("integrated-gradients", "conductance", "ablation");
            assertThat(save(layer().addTexts("methods", methods))).isEqualTo(ofPaths.save());
            assertThat(save(layer().addTexts("methods", methods).add("steps", 51)))
                    .isNotEqualTo(ofPaths.save());
        }
    }

    @Test
    void whatIsUnknownIsRefusedByName() {
        refused(layer().add("stepz", 5), "no option 'stepz'");
        refused(layer().add("steps", "five"), "the option 'steps' is of another type");
        refused(layer().addTexts("methods", List.of("gradient", "gradiant")), "'gradiant'");
        refused(layer().add("output", "logits"), "'logits'");
        refused(layer().add("target", "3x"), "no target '3x'");
        refused(layer().add("at", "middle"), "'middle'");
        refused(layer().add("classAxis", 1), "the option 'classAxis' is of another type");
        refused(
                layer().addAll(
                                "means",
                                List.of(new OptionsWriter().add("layer", "act1").add("calls", 0))),
                "no option 'calls'");
    }

    @Test
    void bytesThatAreCutOffAreRefused() {
        byte[] whole = layer().bytes();
        byte[] cut = Arrays.copyOf(whole, whole.length - 1);
        Loader.load();
        assertThatThrownBy(() -> Native.probe(cut))
                .isExactlyInstanceOf(PreGradException.class)
                .hasMessageContaining("cut off");
    }
}
