package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.Score;
import org.pregrad.Scores;
import org.pregrad.TestScores;

class SummaryTest {
    @TempDir
    private Path directory;

    @Test
    void ranksNeuronsByEachAggregate() throws IOException {
        Score score = TestScores.score("relu", 2, Method.GRADIENT, new double[] {0.5, -3, 1}, new double[] {2, 3, 1});
        JsonNode entry = write(TestScores.scores(score)).get("scores").get(0);
        assertThat(entry.get("layer").textValue()).isEqualTo("relu");
        assertThat(entry.get("cluster").longValue()).isEqualTo(2);
        assertThat(entry.get("count").longValue()).isEqualTo(3);
        assertThat(entry.get("neurons").intValue()).isEqualTo(3);
        assertThat(entry.get("top").get("mean").findValuesAsText("neuron")).containsExactly("2", "0", "1");
        assertThat(entry.get("top").get("mean_abs").findValuesAsText("neuron")).containsExactly("1", "0", "2");
        // |mean| / mean_abs is 0.25, 1 and 1.
        assertThat(entry.get("median_cancellation").doubleValue()).isEqualTo(1);
    }

    @Test
    void takesTheMedianOverNeuronsWithAScore() {
        assertThat(Summary.medianCancellation(List.of(
                        TestScores.score("a", 0, Method.GRADIENT, new double[] {1, -1, 0}, new double[] {2, 4, 0}))))
                .hasValue(0.375);
        assertThat(Summary.medianCancellation(
                        List.of(TestScores.score("a", 0, Method.GRADIENT, new double[] {0}, new double[] {0}))))
                .isEmpty();
    }

    @Test
    void leavesOutACancellationThatThereIsNot() throws IOException {
        Score score = TestScores.score("relu", 0, Method.GRADIENT, new double[] {0}, new double[] {0});
        assertThat(write(TestScores.scores(score))
                        .get("scores")
                        .get(0)
                        .get("median_cancellation")
                        .isNull())
                .isTrue();
    }

    @Test
    void namesFilesByTheirBytes() throws IOException {
        Path file = Files.writeString(directory.resolve("abc"), "abc");
        FileDigest digest = FileDigest.of(file);
        assertThat(digest.bytes()).isEqualTo(3);
        assertThat(digest.sha256()).isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    private static JsonNode write(Scores scores) throws IOException {
        FileDigest none = new FileDigest("none", 0, "");
        StringWriter text = new StringWriter();
        Summary summary = new Summary(
                Map.of("java", "17"),
                "pregrad",
                List.of(),
                Map.of(),
                none,
                none,
                3,
                Summary.entries(scores, List.of(Aggregate.MEAN, Aggregate.MEAN_ABS)));
        Json.write(summary, text);
        assertThat(text.toString()).endsWith("}\n").doesNotContain("\r");
        return new ObjectMapper().readTree(text.toString());
    }
}
