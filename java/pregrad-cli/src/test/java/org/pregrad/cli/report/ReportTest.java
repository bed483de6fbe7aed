package org.pregrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.Escapes;

/** The page as text. */
class ReportTest {
    private static final String NASTY = "</script><!--\"'&<b>{{{style}}} é漢\u2028";

    @TempDir
    private Path directory;

    @Test
    void givesTheSameBytesAgain() throws IOException {
        new SampleRun(Map.of("relu", 20), 3).writeAblation(directory);
        assertThat(page()).isEqualTo(page());
    }

    @Test
    void asksForNothingFromOutside() throws IOException {
        new SampleRun(Map.of("relu", 5), 2).writeAttribution(directory);
        String page = page();
        assertThat(page).contains("content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-");
        assertThat(page.replaceAll("(?s)<script>.*?</script>", "")).doesNotContain("src=", "href=\"http", "url(");
    }

    @Test
    void writesNamesAsText() throws IOException {
        new SampleRun(Map.of(NASTY, 5), 2).writeAblation(directory);
        String page = page();
        assertThat(data(page).at("/layers/0/name").textValue()).isEqualTo(Escapes.escaped(NASTY) + "@0");
        assertThat(page)
                .doesNotContain(NASTY)
                .contains("&lt;/script&gt;&lt;!--&quot;&#39;&amp;&lt;b&gt;{{{style}}} é漢\\u2028@0, cluster 0");
        assertThat(page.split("</script>", -1)).as("data, library, own script").hasSize(4);
    }

    @Test
    void namesTheLicencesOfWhatItContains() throws IOException {
        new SampleRun(Map.of("relu", 5), 1).writeAttribution(directory);
        assertThat(page())
                .contains(
                        "Copyright 2017-2024 The Apache Software Foundation",
                        "Copyright (c) 2017, Baidu Inc.",
                        "Mike Bostock",
                        "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
                        "Apache ECharts 5.");
    }

    @Test
    void tellsHowTheRunWasMade() throws IOException {
        new SampleRun(Map.of("relu", 5), 1).writeAblation(directory);
        assertThat(page())
                .contains(
                        "<code>pregrad ablate --model mlp.pt",
                        "<th scope=\"row\">seed</th><td>20240607</td>",
                        "<th scope=\"row\">libtorch</th><td>2.13.0</td>",
                        "0123456789abcdef".repeat(4));
    }

    @Test
    void comparesAreasWithRandomOrders() throws IOException {
        write("""
                relu,0,4,gradient,0,9,1,2,2,1
                """, """
                {"layer": "relu", "call": 0, "cluster": 4, "method": "gradient", "aggregate": "mean", "area": 0.5,
                 "random_area": 0.7, "random_area_std": 0.05, "rank_correlation": null},
                {"layer": "relu", "call": 0, "cluster": 4, "method": "gradient", "aggregate": "rms", "area": 0.65,
                 "random_area": 0.7, "random_area_std": 0.05, "rank_correlation": 0.25},
                {"layer": "relu", "call": 0, "cluster": 4, "method": "random", "aggregate": "mean", "area": 0.7,
                 "random_area": 0.7, "random_area_std": 0.05, "rank_correlation": -0.5},
                {"layer": "relu", "call": 0, "cluster": 4, "method": "gradient", "aggregate": "std", "area": 0.81,
                 "random_area": 0.7, "random_area_std": 0.05, "rank_correlation": 0}
                """, """
                relu,0,4,gradient,mean,0,0,1,2,,
                relu,0,4,gradient,mean,0,1,0,1,,
                """);
        assertThat(areaRows(page()))
                .containsExactly(
                        "gradient mean 0.500 \u22120.200 better \u2013",
                        "gradient rms 0.650 \u22120.050 as random 0.250",
                        "random mean 0.700 \u00b1 0.050  \u22120.500",
                        "gradient std 0.810 0.110 worse 0.000");
    }

    @Test
    void takesTheCancellationFromMeansWhereTheFileHasNone() throws IOException {
        write("""
                relu,0,4,gradient,0,9,-1,2,2,1
                relu,0,4,gradient,1,9,3,3,2,1
                relu,0,4,gradient,2,9,0,0,0,0
                """, null, null);
        JsonNode data = data(page());
        JsonNode spread = data.at("/layers/0/clusters/0/cancellation/0");
        assertThat(spread.get("neurons").intValue()).isEqualTo(2);
        assertThat(spread.get("quantiles").toString()).isEqualTo("[0.5,0.625,0.75,0.875,1]");
        assertThat(data.get("aggregates").toString())
                .isEqualTo("[\"mean\",\"mean_abs\",\"rms\",\"std\",\"cancellation\"]");
    }

    @Test
    void ranksByFallingScore() throws IOException {
        write("""
                relu,0,4,gradient,0,9,-1,5,2,1
                relu,0,4,gradient,1,9,3,3,2,1
                relu,0,4,gradient,2,9,0.25,7,0,0
                """, null, null);
        assertThat(page())
                .contains(
                        "<tbody data-layer=\"0\" data-method=\"gradient\" data-aggregate=\"mean\">",
                        "<td class=\"number\">1<small>3</small></td><td class=\"number\">2<small>0.25</small></td>"
                                + "<td class=\"number\">0<small>\u22121</small></td>");
    }

    @Test
    void keepsClustersThatScriptsCannotCountTo() throws IOException {
        write("""
                relu,0,9007199254740993,gradient,0,9,1,2,2,1
                """, null, null);
        assertThat(data(page()).at("/layers/0/clusters/0/id").textValue()).isEqualTo("9007199254740993");
    }

    @Test
    void staysSmallAndSaysWhatItLeavesOut() throws IOException {
        Map<String, Integer> layers = IntStream.range(0, 120)
                .boxed()
                .collect(Collectors.toMap(i -> "layer" + i, i -> 6, (a, b) -> a, LinkedHashMap::new));
        new SampleRun(layers, 40).writeAttribution(directory);
        String page = page();
        assertThat(page.getBytes(StandardCharsets.UTF_8).length).isLessThan(10_000_000);
        assertThat(page)
                .contains(
                        "Not shown",
                        "All but the 12 clusters with the most samples of each layer call (there are up" + " to 40).",
                        " of 120 layer calls: layer");
        JsonNode shown = data(page).get("layers");
        assertThat(shown.size()).isBetween(5, 119);
        assertThat(shown.get(0).get("clusters")).hasSize(12);
        assertThat(shown.get(0).at("/clusters/0/id").textValue())
                .as("the largest")
                .isEqualTo("28");
    }

    @Test
    void gathersNeuronsByTheClusterWhereTheyAreLargest() {
        List<float[]> clusters =
                List.of(new float[] {0, 1, 0, -2, Float.NaN}, new float[0], new float[] {0, 1.5f, 0, 1, 3});
        assertThat(Neurons.largestByCluster(clusters, 5, 5)).containsExactly(3, 4, 1, 0, 2);
        assertThat(Neurons.largestByCluster(clusters, 5, 2)).containsExactly(3, 4);
    }

    @Test
    void thinsLongCurvesEvenly() {
        int[] removed = IntStream.range(0, 300).toArray();
        double[] values = IntStream.of(removed).mapToDouble(i -> i / 10.0).toArray();
        PanelKey key = new PanelKey(new LayerCall("relu", 0), "0");
        Curves curves = new Curves(
                removed, List.of(new Curves.Curve("gradient", "mean", false, List.of(values, values, values, values))));
        PageData.CurveSet set = new CurveSets(Map.of(key, curves), List.of(), 17).of(key);
        assertThat(set.removed()).hasSize(17).startsWith(0, 19, 37).endsWith(280, 299);
        assertThat(set.series().get(0).values()[0][1]).isEqualTo(1.9);
        assertThat(set.random()).isNull();
    }

    @Test
    void takesMeanAndDeviationOfRandomOrders() {
        PanelKey key = new PanelKey(new LayerCall("relu", 0), "0");
        List<Curves.Curve> repeats = IntStream.of(1, 3, 8)
                .mapToObj(value -> new double[] {value})
                .map(values -> new Curves.Curve("random", "mean", false, List.of(values, values, values, values)))
                .toList();
        PageData.Band band = new CurveSets(Map.of(key, new Curves(new int[] {0}, repeats)), List.of(), 17)
                .of(key)
                .random();
        assertThat(band.repeats()).isEqualTo(3);
        assertThat(band.mean()[0][0]).isEqualTo(4);
        assertThat(band.std()[0][0]).isCloseTo(Math.sqrt(26.0 / 3), within(1e-12));
    }

    private void write(String scores, String areas, String curves) throws IOException {
        Files.writeString(
                directory.resolve("scores.csv"),
                "layer,call,cluster,method,neuron,count,mean,mean_abs,rms,std\n" + scores);
        Files.writeString(
                directory.resolve("summary.json"), """
                {"versions": {}, "command": "pregrad", "options": {}, "samples": 9, "scores": [],
                 "model": {"file": "m", "bytes": 1, "sha256": "0"}, "data": {"file": "d", "bytes": 1, "sha256": "0"}%s}
                """.formatted(areas == null ? "" : ", \"curves\": [" + areas + "]"));
        if (curves != null) {
            Files.writeString(directory.resolve("curves.csv"), SampleRun.CURVES_HEADER + "\n" + curves);
        }
    }

    private String page() throws IOException {
        StringWriter page = new StringWriter();
        Report.read(new DirectoryFiles(directory)).write(page);
        return page.toString();
    }

    private static JsonNode data(String page) throws IOException {
        Matcher data = Pattern.compile("(?s)<script type=\"application/json\" id=\"data\">(.*?)</script>")
                .matcher(page);
        assertThat(data.find()).isTrue();
        return new ObjectMapper().readTree(data.group(1));
    }

    private static List<String> areaRows(String page) {
        String table = page.substring(page.indexOf("<table id=\"areas\">"));
        String body = table.substring(table.indexOf("<tbody"), table.indexOf("</tbody>"));
        return body.lines()
                .filter(line -> line.contains("scope=\"row\""))
                .map(line -> line.replaceAll("</t[dh]><t[dh][^>]*>", " ")
                        .replaceAll("<[^>]*>", "")
                        .strip())
                .toList();
    }
}
