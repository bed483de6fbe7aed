package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pregrad.Method;
import org.pregrad.TestScores;

class ScoresCsvTest {
    @Test
    void writesOneRowPerNeuronWithTheShortestExactNumbers() throws IOException {
        StringWriter text = new StringWriter();
        ScoresCsv.write(
                TestScores.scores(
                        TestScores.score(
                                "relu", -1, Method.GRADIENT, new double[] {0.1, -2.0E-44}, new double[] {1, 2.2}),
                        TestScores.score(
                                "a,\"b", 4, Method.ACTIVATION, new double[] {2.0E-44}, new double[] {Double.NaN})),
                text);
        assertThat(text).hasToString("""
            layer,call,cluster,method,neuron,count,mean,mean_abs,rms,std,cancellation
            relu,0,-1,gradient,0,3,0.1,1.0,0.0,0.0,0.1
            relu,0,-1,gradient,1,3,-2.0E-44,2.2,0.0,0.0,9.09090909090909E-45
            "a,""b",0,4,activation,0,3,2.0E-44,NaN,0.0,0.0,NaN
            """);
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', textBlock = """
            =cmd|calc!A1, '=cmd|calc!A1
            +1+1,         '+1+1
            -2+3,         '-2+3
            @SUM(A1),     '@SUM(A1)
            'quoted',     ''quoted'
            -1.5,         -1.5
            a\\b,         a\\\\b
            """)
    void guardsWhatASpreadsheetWouldRun(String name, String cell) {
        assertThat(CsvRow.cell(name)).isEqualTo(cell);
        assertThat(CsvRow.text(cell)).isEqualTo(name);
    }

    @Test
    void readsBackEveryName() throws IOException {
        for (String name : List.of(
                "", "a,\"b\"", "\t=1", "\r\n", "\n'=1", "x\0y", "\u001b[31m", "\u202e", "\\", "\\x41", "'", "''=")) {
            String cell = CsvRow.cell(name);
            assertThat(cell.chars()).as(name).allMatch(c -> c >= ' ' && c <= '~');
            assertThat(cell).doesNotStartWith("=").doesNotStartWith("\"=");
            String[] read = new CsvMapper()
                    .enable(CsvParser.Feature.WRAP_AS_ARRAY)
                    .readerFor(String[].class)
                    .<String[]>readValues(cell + ",end")
                    .nextValue();
            assertThat(CsvRow.text(read[0])).isEqualTo(name);
        }
    }

    @Test
    void writesNumbersThatReadBackAsThemselves() {
        Random random = new Random(7);
        for (int i = 0; i < 10_000; i++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(value)) {
                assertThat(Double.parseDouble(CsvRow.number(value))).isEqualTo(value);
            }
        }
        // JDK 17 itself would write this one with a digit more: the bytes must not depend on the JDK.
        assertThat(CsvRow.number(Math.scalb(1.0, -44))).isEqualTo("5.684341886080802E-14");
    }
}
