package org.pregrad.cli.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.samskivert.mustache.Escapers;
import com.samskivert.mustache.Mustache;
import com.samskivert.mustache.MustacheException;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.pregrad.Escapes;
import org.pregrad.RemovalCurve;
import org.pregrad.Scores;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.output.CurvesCsv;

/**
 * {@code report.html}: a page that shows a run, drawn from what {@code scores.csv}, {@code summary.json} and, of a run that
 * removed neurons, {@code curves.csv} hold. It needs no other file and no network, and the same files give the same
 * bytes.
 */
public final class Report {
    public static final String FILE = "report.html";

    private final RunSummary summary;
    private final List<LayerScores> all;
    private final Map<PanelKey, Curves> curves;
    private final Limits limits;
    private final List<LayerScores> layers;
    private final List<String> aggregates;

    private Report(RunData run) {
        this.summary = run.summary();
        this.all = run.layers();
        this.curves = run.curves();
        this.aggregates = aggregates();
        this.limits = Limits.of(all, curves, aggregates.size());
        this.layers = all.stream().limit(limits.layers()).toList();
    }

    /**
     * The page of a run whose files are there.
     *
     * @throws UserException if a file is missing or damaged, or the files are not of one run
     */
    public static Report read(DirectoryFiles files) {
        return new Report(RunData.read(files));
    }

    /**
     * The page of a run that has just ended; the same as that of its files.
     *
     * @param summary as it is written
     * @param curves  empty if no neurons were removed
     */
    public static Report of(JsonNode summary, Scores scores, List<RemovalCurve> curves) {
        return new Report(RunData.of(summary, scores, curves));
    }

    /** Writes the page. */
    public void write(Writer to) throws IOException {
        List<Assets.Script> scripts = Assets.scripts();
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("policy", scripts.stream().map(Assets.Script::hash).collect(Collectors.joining(" ")));
        page.put("style", Assets.text("report.css"));
        page.put("scripts", scripts.stream().map(Assets.Script::text).toList());
        page.put("data", ScriptJson.text(data()));
        page.put("samples", summary.samples());
        page.put("model", summary.files().get(0).file());
        page.put("dataFile", summary.files().get(1).file());
        page.put("hasCurves", summary.hasCurves());
        page.put("leftOut", limits.leftOut(all, curves));
        page.put("anyLeftOut", !limits.leftOut(all, curves).isEmpty());
        List<PanelKey> panels = panels();
        page.put(
                "areas",
                Tables.areas(panels, layers.stream().map(LayerScores::layer).toList(), summary.areas(), summary.clusters()));
        int ranks = Math.min(
                limits.top(),
                layers.stream().mapToInt(LayerScores::neurons).max().orElseThrow());
        page.put("ranks", IntStream.rangeClosed(1, ranks).boxed().toList());
        page.put("topColumns", ranks + 1);
        page.put("top", Tables.top(layers, aggregates, limits, summary.clusters()));
        page.put("cancellation", Tables.cancellation(panels, layers, summary.scores(), summary.clusters()));
        page.put("command", summary.command());
        page.put("versions", summary.versions().entrySet());
        page.put("options", summary.options().entrySet());
        page.put("files", summary.files());
        page.put("echarts", Assets.echartsVersion());
        page.put("notices", Assets.text("third-party.txt"));
        page.put("licence", Assets.text("LICENSE"));
        try {
            Mustache.compiler()
                    .withEscaper(Report::escaped)
                    .compile(Assets.text("report.html"))
                    .execute(page, to);
        } catch (MustacheException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** Text in elements and attributes of the page; names could else turn the direction of what is written there. */
    private static String escaped(String text) {
        return Stream.of(text.split("\n", -1))
                .map(Escapes::visible)
                .map(Escapers.HTML::escape)
                .collect(Collectors.joining("\n"));
    }

    /** Those that neurons were ranked by, or all if the summary names none. */
    private List<String> aggregates() {
        List<String> all = List.copyOf(anyColumns().values().keySet());
        List<String> ranked = all.stream().filter(summary.ranked()::contains).toList();
        return ranked.isEmpty() ? all : ranked;
    }

    private LayerScores.Columns anyColumns() {
        LayerScores first = all.get(0);
        long cluster = first.clusters().get(0);
        return first.methods().stream()
                .map(method -> first.of(cluster, method))
                .filter(Objects::nonNull)
                .findFirst()
                .orElseThrow();
    }

    private List<PanelKey> panels() {
        return layers.stream()
                .flatMap(
                        layer -> limits.clustersOf(layer).stream().map(cluster -> new PanelKey(layer.layer(), cluster)))
                .toList();
    }

    private PageData data() {
        CurveSets sets = new CurveSets(curves, summary.areas(), limits.points());
        return new PageData(
                aggregates,
                CurvesCsv.METRICS,
                layers.stream().map(layer -> data(layer, sets)).toList());
    }

    private PageData.Layer data(LayerScores layer, CurveSets sets) {
        List<Long> clusters = limits.clustersOf(layer);
        return new PageData.Layer(
                layer.layer().label(),
                layer.neurons(),
                layer.methods(),
                clusters.stream()
                        .map(cluster -> new PageData.Cluster(
                                summary.clusters().name(cluster),
                                layer.count(cluster),
                                spreads(layer, cluster),
                                sets.of(new PanelKey(layer.layer(), cluster))))
                        .toList(),
                heatMaps(layer, clusters));
    }

    private static List<PageData.Spread> spreads(LayerScores layer, long cluster) {
        return layer.methods().stream()
                .filter(method -> layer.of(cluster, method) != null)
                .map(method -> PageData.Spread.of(
                        method, layer.of(cluster, method).values().get(ScoresReader.CANCELLATION)))
                .filter(Objects::nonNull)
                .toList();
    }

    private List<PageData.HeatMap> heatMaps(LayerScores layer, List<Long> clusters) {
        List<PageData.HeatMap> maps = new ArrayList<>();
        for (String method : layer.methods()) {
            for (String aggregate : aggregates) {
                List<double[]> columns = clusters.stream()
                        .map(cluster -> layer.of(cluster, method))
                        .map(scores ->
                                scores == null ? new double[0] : scores.values().get(aggregate))
                        .toList();
                int[] neurons = Neurons.largestByCluster(columns, layer.neurons(), limits.neurons());
                maps.add(new PageData.HeatMap(
                        method,
                        aggregate,
                        neurons,
                        IntStream.of(neurons)
                                .mapToObj(neuron -> columns.stream()
                                        .mapToDouble(values -> values.length == 0 ? Double.NaN : values[neuron])
                                        .toArray())
                                .toArray(double[][]::new)));
            }
        }
        return maps;
    }
}
