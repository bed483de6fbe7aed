package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.Writer;
import java.util.List;

/**
 * {@code summary.json} of a run that measured removal curves.
 *
 * @param run       what every summary says; its scores are those of the score data
 * @param scoreData the file that was scored; null if it was the data itself
 * @param curves    one entry per layer call, cluster, method and aggregate
 */
public record AblationSummary(
        @JsonUnwrapped Summary run,
        @JsonProperty("score_data") FileDigest scoreData,
        List<CurveArea> curves) {
    /** What is written. */
    public JsonNode tree() {
        return Json.tree(this);
    }

    public void write(Writer to) throws IOException {
        Json.writer().writeValue(to, this);
        to.append('\n');
    }
}
