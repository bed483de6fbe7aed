package org.pregrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of a run of 12 million scores: 30 layers of 2,000 neurons, 200 clusters. */
class LargeReportTest {
    private static final int LAYERS = 30;
    private static final int CLUSTERS = 200;
    private static final int NEURONS = 2000;
    private static final int MOST_BYTES = 3_000_000;

    @TempDir
    private static Path folder;

    @Test
    void staysBelowThreeMegabytesWithAllLayersAndClusters() throws IOException {
        write(folder);
        Report report = Report.read(new DirectoryFiles(folder));
        StringWriter to = new StringWriter();
        report.write(to);
        String page = to.toString();
        int bytes = page.getBytes(StandardCharsets.UTF_8).length;
        assertThat(bytes).as("bytes of the page").isLessThan(MOST_BYTES);

        JsonNode layers = new ObjectMapper()
                .readTree(page.substring(
                        page.indexOf('{', page.indexOf("id=\"data\">")),
                        page.indexOf("</script>", page.indexOf("id=\"data\">"))))
                .get("layers");
        assertThat(layers).hasSize(LAYERS);
        assertThat(layers).allMatch(layer -> layer.get("clusters").size() == CLUSTERS);
        assertThat(report.leftOut()).anyMatch(note -> note.contains("up to 2000 neurons"));
        // Each cluster's first neuron is there, though no neuron is the first of two clusters.
        JsonNode first = layers.get(3).at("/scores/0/first/mean");
        int most = first.get("most").intValue();
        byte[] packed = java.util.Base64.getDecoder()
                .decode(first.get("neurons").textValue().substring("s|".length()));
        for (int cluster = 0; cluster < CLUSTERS; cluster++) {
            int at = 2 * cluster * most;
            assertThat((packed[at] & 0xff) | (packed[at + 1] & 0xff) << 8).isEqualTo(first(3, cluster));
        }

        Report part = Report.read(
                new DirectoryFiles(folder),
                new Report.Part(List.of("layer3"), List.of("7", "150"), List.of()),
                Report.USUAL,
                null);
        assertThat(part.leftOut()).isEmpty();
    }

    /** The neuron with the highest score. */
    private static int first(int layer, int cluster) {
        return (7 * cluster + 3 * layer + 11) % NEURONS;
    }

    private static void write(Path directory) throws IOException {
        try (BufferedWriter to = Files.newBufferedWriter(directory.resolve("scores.csv"))) {
            to.write("layer,call,cluster,method,neuron,count,mean,mean_abs,rms,std\n");
            StringBuilder row = new StringBuilder();
            long state = 1;
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int cluster = 0; cluster < CLUSTERS; cluster++) {
                    for (int neuron = 0; neuron < NEURONS; neuron++) {
                        // A congruential generator: its high bits are as random as a page needs.
                        state = state * 6364136223846793005L + 1442695040888963407L;
                        int size = neuron == first(layer, cluster) ? 999 : (int) (state >>> 33) % 700 + 10;
                        boolean negative = (state >>> 62) == 0 && size != 999;
                        row.setLength(0);
                        row.append("layer")
                                .append(layer)
                                .append(",0,")
                                .append(cluster)
                                .append(",gradient,")
                                .append(neuron);
                        row.append(",120,").append(negative ? "-." : ".").append(size);
                        row.append(",1.").append(size).append(",1.5,1.1\n");
                        to.append(row);
                    }
                }
            }
        }
        Files.writeString(directory.resolve("summary.json"), """
                {"versions": {}, "command": "pregrad", "options": {"aggregates": ["mean", "mean_abs"]}, "samples": 24000,
                 "scores": [], "model": {"file": "m", "bytes": 1, "sha256": "0"},
                 "data": {"file": "d", "bytes": 1, "sha256": "0"}}
                """);
    }
}
