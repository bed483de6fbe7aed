package org.pregrad.cli.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.pregrad.cli.output.Summary;
import org.pregrad.cli.report.DirectoryFiles.Source;

/** Reads {@code summary.json}. */
final class SummaryReader {
    private final Source source;

    private SummaryReader(Source source) {
        this.source = source;
    }

    static RunSummary read(Source source) {
        return source.read(text -> {
            try {
                return new SummaryReader(source)
                        .summary(JsonMapper.builder()
                                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                                .build()
                                .readTree(text));
            } catch (JsonProcessingException e) {
                throw source.damaged(
                        "it is no JSON from line " + e.getLocation().getLineNr() + " on");
            }
        });
    }

    /** Of a summary that is about to be written. */
    static RunSummary of(JsonNode summary) {
        return new SummaryReader(new Source(Path.of(Summary.FILE))).summary(summary);
    }

    private RunSummary summary(JsonNode root) {
        if (!root.isObject()) {
            throw source.damaged("it is no JSON object");
        }
        return new RunSummary(
                texts(root, "versions"),
                text(root, "command"),
                texts(root, "options"),
                StreamSupport.stream(root.path("options").path("aggregates").spliterator(), false)
                        .map(JsonNode::asText)
                        .toList(),
                files(root),
                integer(root, "samples"),
                list(root, "scores").stream().map(this::score).toList(),
                root.hasNonNull("curves"),
                root.hasNonNull("curves")
                        ? list(root, "curves").stream().map(this::area).toList()
                        : List.of());
    }

    private List<RunSummary.File> files(JsonNode root) {
        List<RunSummary.File> files = new ArrayList<>();
        files.add(file("model", needed(root, "model")));
        files.add(file("data", needed(root, "data")));
        if (root.hasNonNull("score_data")) {
            files.add(file("score data", root.get("score_data")));
        }
        return files;
    }

    private RunSummary.File file(String role, JsonNode node) {
        return new RunSummary.File(role, text(node, "file"), integer(node, "bytes"), text(node, "sha256"));
    }

    private RunSummary.Score score(JsonNode node) {
        return new RunSummary.Score(
                panel(node),
                text(node, "method"),
                integer(node, "neurons"),
                optionalNumber(node, "completeness_error"));
    }

    private RunSummary.Area area(JsonNode node) {
        return new RunSummary.Area(
                panel(node),
                text(node, "method"),
                text(node, "aggregate"),
                "keep".equals(node.path("curve").asText()),
                optionalNumber(node, "area"),
                optionalNumber(node, "area_error"),
                optionalNumber(node, "random_area"),
                optionalNumber(node, "random_area_std"),
                optionalNumber(node, "rank_correlation"));
    }

    private PanelKey panel(JsonNode node) {
        return new PanelKey(new LayerCall(text(node, "layer"), integer(node, "call")), integerOrText(node, "cluster"));
    }

    private Map<String, String> texts(JsonNode root, String name) {
        JsonNode node = needed(root, name);
        Map<String, String> texts = new LinkedHashMap<>();
        node.properties().forEach(entry -> texts.put(entry.getKey(), shown(entry.getValue())));
        return texts;
    }

    private static String shown(JsonNode value) {
        if (value.isNull()) {
            return "none";
        }
        if (value.isArray()) {
            return String.join(
                    ", ",
                    StreamSupport.stream(value.spliterator(), false)
                            .map(SummaryReader::shown)
                            .toList());
        }
        return value.isContainerNode() ? value.toString() : value.asText();
    }

    private List<JsonNode> list(JsonNode root, String name) {
        JsonNode node = needed(root, name);
        if (!node.isArray()) {
            throw source.damaged("'" + name + "' is no list");
        }
        return StreamSupport.stream(node.spliterator(), false).toList();
    }

    private String text(JsonNode node, String name) {
        JsonNode value = needed(node, name);
        if (!value.isTextual()) {
            throw source.damaged("'" + name + "' is no text");
        }
        return value.textValue();
    }

    private double optionalNumber(JsonNode node, String name) {
        return node.hasNonNull(name) ? number(node, name) : Double.NaN;
    }

    private double number(JsonNode node, String name) {
        JsonNode value = needed(node, name);
        // JSON has no number for it, so it is often written as text.
        if ("NaN".equals(value.textValue())) {
            return Double.NaN;
        }
        if (!value.isNumber()) {
            throw source.damaged("'" + name + "' is no number");
        }
        return value.doubleValue();
    }

    private long integer(JsonNode node, String name) {
        JsonNode value = needed(node, name);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw source.damaged("'" + name + "' is no integer");
        }
        return value.longValue();
    }

    /** In decimal, if it is an integer. */
    private String integerOrText(JsonNode node, String name) {
        return needed(node, name).isTextual() ? text(node, name) : Long.toString(integer(node, name));
    }

    private JsonNode needed(JsonNode node, String name) {
        if (!node.hasNonNull(name)) {
            throw source.damaged("it lacks '" + name + "'");
        }
        return node.get(name);
    }
}
