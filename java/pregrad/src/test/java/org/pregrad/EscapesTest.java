package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class EscapesTest {
    @Test
    void showsWhatActsOnATerminalOrHides() {
        assertThat(Escapes.visible("a\u001b[31m\r\n\t\0\u007f\u009b"))
                .isEqualTo("a\\x1b[31m\\x0d\\x0a\\x09\\x00\\x7f\\x9b");
        assertThat(Escapes.visible("\u202egpj\u2066\u2028\ufeff\u00ad\u200b"))
                .isEqualTo("\\u202egpj\\u2066\\u2028\\ufeff\\xad\\u200b");
        assertThat(Escapes.visible(Character.toString(0xE0041) + "\ud800x")).isEqualTo("\\U000e0041\\ud800x");
    }

    @Test
    void leavesWhatCanBeRead() {
        String text = "layer1.0.relu@1 'a\\b' \"=1\" über 層 ∂y/∂z " + Character.toString(0x1F600);
        assertThat(Escapes.visible(text)).isEqualTo(text);
        assertThat(Escapes.printable(text)).isEqualTo(text);
        assertThat(Escapes.unescaped("C:\\models\\new")).isEqualTo("C:\\models\\new");
    }

    @Test
    void givesEveryNameAgain() {
        Random random = new Random(11);
        String alphabet = "\\xuU0041ab\u001b\n\u202e\ud83d\ude00é";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder name = new StringBuilder();
            for (int length = random.nextInt(12); length > 0; length--) {
                name.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            String escaped = Escapes.escaped(name.toString());
            assertThat(Escapes.unescaped(escaped)).isEqualTo(name.toString());
            assertThat(Escapes.visible(escaped)).isEqualTo(escaped);
        }
    }

    @Test
    void cutsTheMiddleOfWhatIsVeryLong() {
        String name = "first" + "x".repeat(100_000) + "last";
        assertThat(Escapes.printable("no layer '" + name + "': give another"))
                .startsWith("no layer 'firstxxx")
                .contains("\u2026")
                .endsWith("xlast': give another")
                .hasSizeLessThan(500);
        assertThat(Escapes.printable("layer, ".repeat(10_000) + "give one"))
                .startsWith("layer, layer, ")
                .endsWith("give one")
                .hasSizeLessThan(4100);
    }

    @Test
    void everyExceptionIsPrintable() {
        assertThat(new LayerException("there is no layer 'a\u001b]0;title\u0007\nb'"))
                .hasMessage("there is no layer 'a\\x1b]0;title\\x07\\x0ab'");
    }
}
