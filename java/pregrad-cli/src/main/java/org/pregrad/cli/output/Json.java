package org.pregrad.cli.output;

import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.Writer;
import org.pregrad.Escapes;

/**
 * How JSON looks: indented, with plain line feeds, the same with every JDK. Characters that act on a terminal or cannot be
 * seen stand as JSON's own escapes.
 */
public final class Json {
    private static final DefaultIndenter INDENT = new DefaultIndenter("  ", "\n");

    private Json() {}

    /** JSON has no word for what is no number or infinite. */
    static Double orNull(double value) {
        return Double.isFinite(value) ? Double.valueOf(value) : null;
    }

    /** What a value is once it is written, read again. */
    public static JsonNode tree(Object value) {
        return new JsonMapper().valueToTree(value);
    }

    /** Writes a whole file. */
    public static void write(Object value, Writer to) throws IOException {
        to.append(text(value));
    }

    /** A whole file, or what a command prints. */
    static String text(Object value) throws IOException {
        return visible(writer().writeValueAsString(value)) + "\n";
    }

    /** The same JSON; only inside its texts can there be anything to escape. */
    public static String visible(String json) {
        StringBuilder visible = new StringBuilder(json.length());
        json.codePoints().forEach(code -> {
            String character = Character.toString(code);
            if (code == '\n'
                    || (code >= ' ' && code <= '~')
                    || Escapes.visible(character).equals(character)) {
                visible.append(character);
            } else {
                character.chars().forEach(unit -> visible.append(String.format("\\u%04x", unit)));
            }
        });
        return visible.toString();
    }

    static ObjectWriter writer() {
        return JsonMapper.builder()
                .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
                .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
                .build()
                .writer(new DefaultPrettyPrinter().withObjectIndenter(INDENT));
    }
}
