package org.pregrad.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyHeaderParserTest {
    @Test
    void readsWhatNumPyWrites() {
        NpyHeader header =
                NpyHeaderParser.parse("x", "{'descr': '<f4', 'fortran_order': False, 'shape': (1797, 64), }   \n");
        assertThat(header.type()).isEqualTo(new NpyType(NpyType.Kind.FLOAT, 4, ByteOrder.LITTLE_ENDIAN));
        assertThat(header.fortran()).isFalse();
        assertThat(header.shape()).containsExactly(1797L, 64L);
        assertThat(header.shapeInWords()).isEqualTo("1797x64");
        assertThat(header.elements()).isEqualTo(1797 * 64);
        assertThat(header.elementsPerSample()).isEqualTo(64);
    }

    @Test
    void takesKeysInAnyOrderAndEitherQuote() {
        NpyHeader header = NpyHeaderParser.parse("x", "{\"shape\":(5,),\"descr\":\">i2\",'fortran_order':True}");
        assertThat(header)
                .isEqualTo(new NpyHeader(new NpyType(NpyType.Kind.SIGNED, 2, ByteOrder.BIG_ENDIAN), true, List.of(5L)));
    }

    @Test
    void knowsScalars() {
        assertThat(NpyHeaderParser.parse("x", "{'descr': '<f4', 'fortran_order': False, 'shape': ()}")
                        .shape())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"<f2,float16", "<f8,float64", "|b1,bool", "|u1,uint8", "|i1,int8", ">u4,uint32", "=i8,int64"})
    void namesTypesAsNumPyDoes(String descriptor, String name) {
        String text = "{'descr': '" + descriptor + "', 'fortran_order': False, 'shape': (1,)}";
        assertThat(NpyHeaderParser.parse("x", text).type()).hasToString(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "{'descr': '<f4', 'fortran_order': False}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999,)}",
                "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
                "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)",
                "x'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
            })
    void refusesOtherText(String text) {
        assertThatThrownBy(() -> NpyHeaderParser.parse("x", text))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("array 'x'")
                .hasMessageContaining("save it again");
    }

    @Test
    void refusesAHeaderOfEndlessAxes() {
        String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, ".repeat(20000) + ")}";
        assertThatThrownBy(() -> NpyHeaderParser.parse("x", text)).isInstanceOf(ArrayFileException.class);
    }

    @Test
    void refusesPickledObjects() {
        assertThatThrownBy(() -> NpyHeaderParser.parse("y", "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}"))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining("array 'y' holds pickled Python objects")
                .hasMessageContaining("np.asarray(y, dtype=");
    }

    @Test
    void refusesRecords() {
        String text = "{'descr': [('a', '<f4'), ('b', '<i8')], 'fortran_order': False, 'shape': (3,)}";
        assertThatThrownBy(() -> NpyHeaderParser.parse("x", text)).hasMessageContaining("holds records");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<c8", "<M8[ns]", "<f1", "<b4", "<f16", "|V8"})
    void refusesOtherTypes(String descriptor) {
        String text = "{'descr': '" + descriptor + "', 'fortran_order': False, 'shape': (3,)}";
        assertThatThrownBy(() -> NpyHeaderParser.parse("x", text))
                .isInstanceOf(ArrayFileException.class)
                .hasMessageContaining(descriptor)
                .hasMessageContaining("np.float32");
    }
}
