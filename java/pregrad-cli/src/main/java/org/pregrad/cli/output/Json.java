package org.pregrad.cli.output;

import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;

/** How JSON looks: indented, with plain line feeds, the same with every JDK. */
final class Json {
    private static final DefaultIndenter INDENT = new DefaultIndenter("  ", "\n");

    private Json() {}

    /** JSON has no word for what is no number or infinite. */
    static Double orNull(double value) {
        return Double.isFinite(value) ? Double.valueOf(value) : null;
    }

    /** What a value is once it is written, read again. */
    static JsonNode tree(Object value) {
        return new JsonMapper().valueToTree(value);
    }

    static ObjectWriter writer() {
        return JsonMapper.builder()
                .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
                .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
                .build()
                .writer(new DefaultPrettyPrinter().withObjectIndenter(INDENT));
    }
}
