package org.pregrad.cli.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import org.pregrad.cli.output.Json;

/** JSON that may stand inside a script element: nothing in it can end the element or start a comment. */
final class ScriptJson {
    private static final MathContext DIGITS = new MathContext(6);

    private static final ObjectMapper MAPPER = mapper();

    private ScriptJson() {}

    static String text(Object value) {
        try {
            return Json.visible(MAPPER.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the report's data cannot be written", e);
        }
    }

    private static ObjectMapper mapper() {
        ObjectMapper mapper = JsonMapper.builder()
                .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
                .addModule(new SimpleModule()
                        .addSerializer(double.class, new Rounded())
                        .addSerializer(double[].class, new RoundedArray()))
                .build();
        mapper.getFactory().setCharacterEscapes(new Escapes());
        return mapper;
    }

    private static final class Escapes extends CharacterEscapes {
        private static final long serialVersionUID = 1L;

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] escapes = standardAsciiEscapesForJSON();
            for (char c : new char[] {'<', '>', '&'}) {
                escapes[c] = ESCAPE_STANDARD;
            }
            return escapes;
        }

        @Override
        public SerializableString getEscapeSequence(int c) {
            return null;
        }
    }

    private static final class Rounded extends JsonSerializer<Double> {
        @Override
        public void serialize(Double value, JsonGenerator to, SerializerProvider provider) throws IOException {
            write(value, to);
        }
    }

    private static final class RoundedArray extends JsonSerializer<double[]> {
        @Override
        public void serialize(double[] values, JsonGenerator to, SerializerProvider provider) throws IOException {
            to.writeStartArray();
            for (double value : values) {
                write(value, to);
            }
            to.writeEndArray();
        }
    }

    private static void write(double value, JsonGenerator to) throws IOException {
        if (!Double.isFinite(value)) {
            to.writeNull();
        } else if (value == Math.rint(value) && Math.abs(value) < 1e6) {
            to.writeNumber((long) value);
        } else {
            to.writeNumber(new BigDecimal(value, DIGITS).doubleValue());
        }
    }
}
