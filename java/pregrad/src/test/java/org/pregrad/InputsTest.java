package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Named inputs, and the words of targets and positions, which need no model. */
class InputsTest {
    private final Input one = Input.of(new float[2], 1, 2);

    private static void refused(ThrowingCallable call, String part) {
        assertThatThrownBy(call)
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining(part)
                .hasMessageNotContaining("\n");
    }

    @Test
    void keepTheirOrder() {
        Inputs ab = Inputs.of("a", one).and("b", one);
        assertThat(ab).hasToString("a, b");
        assertThat(ab.andShared("c", one)).hasToString("a, b, c");
        assertThat(ab).hasToString("a, b");
        Map<String, Input> map = new LinkedHashMap<>();
        map.put("z", one);
        map.put("a", one);
        assertThat(Inputs.of(map)).hasToString("z, a");
        assertThat(Inputs.of(one)).hasToString("");
    }

    @Test
    void namesThatAreNone() {
        refused(() -> Inputs.of("", one), "'' is no name");
        refused(() -> Inputs.of("a\0b", one), "'a?b' is no name");
        refused(() -> Inputs.of("a", one).and("a", one), "two inputs named 'a'");
        refused(() -> Inputs.of("a", one).andShared("a", one), "two inputs named 'a'");
        refused(() -> Inputs.of(one).and("b", one), "the input before 'b' has no name");
        refused(() -> Inputs.of(Map.of()), "there is no input");
        assertThatThrownBy(() -> Inputs.of("a", null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Inputs.of((Input) null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void targetsAreReadFromTheirText() {
        for (Target target : new Target[] {
            Target.label(), Target.predicted(), Target.weights(), Target.index(7), Target.difference(3, 5)
        }) {
            assertThat(Target.of(target.toString())).isEqualTo(target).hasSameHashCodeAs(target);
        }
        assertThat(Target.of("3-5")).isEqualTo(Target.difference(3, 5)).isNotEqualTo(Target.difference(5, 3));
        for (String wrong : new String[] {"", "3x", "3-", "-", "3-x", "-3-4", "3--4", "-1", "Label"}) {
            refused(() -> Target.of(wrong), wrong.equals("-3-4") || wrong.equals("3--4") ? "negative" : "");
        }
        refused(() -> Target.difference(0, -1), "negative");
        refused(() -> Target.difference(-1, 0), "negative");
    }

    @Test
    void positionsAreReadFromTheirText() {
        for (At at : new At[] {At.last(), At.first(), At.each(), At.mean(), At.index(4), At.index(-1)}) {
            assertThat(At.of(at.toString())).isEqualTo(at).hasSameHashCodeAs(at);
        }
        assertThat(At.index(1)).isNotEqualTo(At.index(2)).isNotEqualTo(At.last());
        for (String wrong : new String[] {"", "middle", "1x", "Last"}) {
            refused(() -> At.of(wrong), "'" + wrong + "'");
        }
    }

    @Test
    void aProbeHasNoNames() {
        refused(() -> Probe.builder().outputName("logits"), "no outputs by name");
        refused(() -> Probe.builder().mask("mask"), "no inputs by name");
    }
}
