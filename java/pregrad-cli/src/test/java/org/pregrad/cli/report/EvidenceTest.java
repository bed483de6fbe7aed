package org.pregrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.cli.errors.UserException;

/** What the page says of how sure scores are, of layers beside each other, of named clusters, and of a part of a run. */
class EvidenceTest {
    private static final String HEADER = "layer,call,cluster,method,neuron,count,mean,mean_abs,rms,std";

    @TempDir
    private Path directory;

    /** Of the samples 1, 2, 6: mean 3, s² = 7, s/√3 = 1.52753; of −1, 2, 5: mean_abs 8/3, s² of |x| = 13/3. */
    @Test
    void givesStandardErrorsOfTheMeans() throws IOException {
        write(HEADER, """
                relu,0,a,gradient,0,3,3,3,3.696846,2.160247
                relu,0,a,gradient,1,3,2,2.6666667,3.1622777,2.449490
                relu,0,one,gradient,0,1,3,3,3,0
                relu,0,one,gradient,1,1,2,2,2,0
                """);
        JsonNode columns = data(Report.Part.ALL).at("/layers/0/scores/0/columns");
        assertThat(floats(columns.get("mean"))).containsExactly(3, 3, 2, 2);
        assertThat(floats(columns.get("mean_error"))[0]).isCloseTo((float) Math.sqrt(7.0 / 3), within(1e-5f));
        assertThat(floats(columns.get("mean_abs_error"))[2]).isCloseTo((float) Math.sqrt(13.0 / 9), within(1e-5f));
        assertThat(floats(columns.get("mean_error"))[1])
                .as("of a single sample")
                .isNaN();
    }

    @Test
    void takesNamesForClustersAndTheComparisonOfTheFile() throws IOException {
        write(HEADER + ",difference,low,high,q", """
                relu,0,cats,gradient,0,9,1,2,2,1,0.5,0.25,0.75,0.01
                relu,0,"dogs, </script>",gradient,0,9,1,2,2,1,,,,
                """);
        JsonNode layer = data(Report.Part.ALL).at("/layers/0");
        assertThat(layer.at("/clusters/0/id").textValue()).isEqualTo("cats");
        assertThat(layer.at("/clusters/1/id").textValue()).isEqualTo("dogs, </script>");
        assertThat(floats(layer.at("/scores/0/columns/q"))).containsExactly(0.01f, Float.NaN);
        assertThat(floats(layer.at("/scores/0/columns/low"))[0]).isEqualTo(0.25f);
    }

    /** Clusters a and b score the same in proportion in the first layer, and different neurons in the second. */
    @Test
    void comparesLayersWithoutTheirScale() throws IOException {
        write(HEADER, """
                one,0,a,gradient,0,9,100,100,100,1
                one,0,a,gradient,1,9,0,0,0,0
                one,0,b,gradient,0,9,700,700,700,1
                one,0,b,gradient,1,9,0,0,0,0
                two,0,a,gradient,0,9,0.001,0.002,0.1,1
                two,0,a,gradient,1,9,0,0,0,0
                two,0,b,gradient,0,9,0,0,0,0
                two,0,b,gradient,1,9,0.001,0.001,0.1,1
                """);
        JsonNode layers = data(Report.Part.ALL).get("layers");
        JsonNode one = layers.get(0).at("/scores/0/overview/mean");
        JsonNode two = layers.get(1).at("/scores/0/overview/mean");
        assertThat(floats(one.get("distinctness"))).containsExactly(0, 0);
        assertThat(floats(two.get("distinctness"))).containsExactly(1, 1);
        assertThat(floats(one.get("size"))).containsExactly(0.2f, 1.4f);
        assertThat(floats(two.get("size"))).containsExactly(1, 1);
        assertThat(floats(one.get("concentration"))).containsExactly(1, 1);
        assertThat(floats(two.get("agreement"))).containsExactly(0.5f, 1);
    }

    @Test
    void drawsAPartAlone() throws IOException {
        new SampleRun(java.util.Map.of("relu", 5), 4).writeAblation(directory);
        JsonNode data = data(new Report.Part(List.of("relu@0"), List.of("3", "1"), List.of("gradient")));
        JsonNode layer = data.at("/layers/0");
        assertThat(layer.get("methods").toString()).isEqualTo("[\"gradient\"]");
        assertThat(layer.get("clusters").findValuesAsText("id")).containsExactly("1", "3");
        JsonNode series = layer.at("/clusters/0/curves/series");
        assertThat(series.findValuesAsText("method")).containsExactly("gradient", "gradient", "ablation");
        assertThatThrownBy(() -> data(new Report.Part(List.of(), List.of("9"), List.of())))
                .isInstanceOf(UserException.class)
                .hasMessage("scores.csv has nothing for --cluster 9; it has 0, 1, 2, 3");
    }

    @Test
    void keepsThreeDigitsOfSmallAndLargeNumbersInTwoBytes() {
        float[] values = {123456f, -1.2345e-3f, 0, Float.NaN, Float.POSITIVE_INFINITY, 6.5432f};
        String text = Packed.of(values, 2).text();
        double scale = Double.parseDouble(text.substring(1, text.indexOf('|')));
        ByteBuffer bytes = bytes(text).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.length; i++) {
            double back = half(bytes.getShort(2 * i) & 0xffff) * scale;
            if (Float.isFinite(values[i])) {
                assertThat(back).isCloseTo(values[i], within(Math.abs(values[i]) * 5e-4));
            } else {
                assertThat((float) back).isEqualTo(Float.valueOf(values[i]));
            }
        }
    }

    /** As IEEE 754 defines binary16. */
    private static double half(int bits) {
        double sign = bits >= 0x8000 ? -1 : 1;
        int exponent = bits >> 10 & 31;
        int mantissa = bits & 1023;
        if (exponent == 31) {
            return mantissa == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
        }
        return sign
                * (exponent == 0 ? mantissa * Math.pow(2, -24) : (1 + mantissa / 1024.0) * Math.pow(2, exponent - 15));
    }

    private static ByteBuffer bytes(String packed) {
        return ByteBuffer.wrap(Base64.getDecoder().decode(packed.substring(packed.indexOf('|') + 1)));
    }

    private static float[] floats(JsonNode packed) {
        assertThat(packed.textValue()).startsWith("f|");
        ByteBuffer bytes = bytes(packed.textValue()).order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(floats);
        return floats;
    }

    private void write(String header, String scores) throws IOException {
        Files.writeString(directory.resolve("scores.csv"), header + "\n" + scores);
        Files.writeString(directory.resolve("summary.json"), """
                {"versions": {}, "command": "pregrad", "options": {"aggregates": ["mean", "mean_abs"]}, "samples": 9,
                 "scores": [], "model": {"file": "m", "bytes": 1, "sha256": "0"},
                 "data": {"file": "d", "bytes": 1, "sha256": "0"}}
                """);
    }

    private JsonNode data(Report.Part part) throws IOException {
        StringWriter page = new StringWriter();
        Report.read(new DirectoryFiles(directory), part, Report.USUAL, null).write(page);
        String text = page.toString();
        int from = text.indexOf('>', text.indexOf("id=\"data\"")) + 1;
        return new ObjectMapper().readTree(text.substring(from, text.indexOf("</script>", from)));
    }
}
