package org.pregrad.cli.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.samskivert.mustache.Escapers;
import com.samskivert.mustache.Mustache;
import com.samskivert.mustache.MustacheException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
import org.pregrad.cli.output.ClusterNames;
import org.pregrad.cli.output.CurvesCsv;
import org.pregrad.cli.output.FileDigest;
import org.pregrad.cli.report.DirectoryFiles.Source;

/**
 * {@code report.html}: a page that shows a run, drawn from what {@code scores.csv}, {@code summary.json} and, of a run that
 * removed neurons, {@code curves.csv} hold, and {@code examples.csv} where there is one. It needs no other file and no
 * network, and the same files give the same bytes.
 */
public final class Report {
    public static final String FILE = "report.html";

    /** What is read besides, if the run left it. */
    public static final String EXAMPLES = Examples.FILE;

    /** In place of a limit: 3 MB, or 9 MB where there are removal curves. */
    public static final long USUAL = 0;

    /** Bytes of what no run changes, about: the charting library, above all. */
    private static final long FIXED = 1_100_000;

    private static final int MOST_ROWS = 64;
    private static final int MOST_NAMES = 8;

    private final RunSummary summary;
    private final List<LayerScores> all;
    private final Map<PanelKey, Curves> curves;
    private final Part part;
    private final long bytes;
    private Examples examples = new Examples(List.of());
    private Samples samples = Samples.none("");
    private Page page;

    /** A page that fits. */
    private record Page(String text, List<String> leftOut) {}

    private Report(RunData run, Part part, long bytes) {
        this.summary = run.summary();
        this.all = run.layers();
        this.curves = run.curves();
        this.part = part;
        this.bytes = bytes != USUAL ? bytes : curves.isEmpty() ? Limits.BYTES : Limits.BYTES_WITH_CURVES;
    }

    /**
     * Which part of a run is drawn; an empty list stands for all.
     *
     * @param layers   names, or names with {@code @} and a call
     * @param clusters integers in decimal, or names
     * @param methods  names
     */
    public record Part(List<String> layers, List<String> clusters, List<String> methods) {
        public static final Part ALL = new Part(List.of(), List.of(), List.of());

        boolean has(LayerCall layer, String cluster, String method) {
            return names(layers, layer) && names(clusters, cluster) && names(methods, method);
        }

        boolean has(PanelKey panel, String method) {
            return has(panel.layer(), panel.cluster(), method);
        }

        /** The oracle and the random orders belong to every method. */
        boolean hasCurve(PanelKey panel, String method) {
            return names(layers, panel.layer())
                    && names(clusters, panel.cluster())
                    && (names(methods, method) || Curves.COMPARED.contains(method));
        }

        /** @throws UserException if something is wanted that the run has not */
        void requireIn(List<LayerCall> layerCalls, List<String> allClusters, List<String> allMethods) {
            List<String> calls = layerCalls.stream().map(LayerCall::label).toList();
            layers.forEach(wanted -> require(
                    layerCalls.stream().anyMatch(layer -> names(List.of(wanted), layer)), "--layer", wanted, calls));
            clusters.forEach(wanted -> require(allClusters.contains(wanted), "--cluster", wanted, allClusters));
            methods.forEach(wanted -> require(allMethods.contains(wanted), "--method", wanted, allMethods));
        }

        /** What the page says of it; empty for all of a run. */
        String described() {
            return Stream.of(
                            described("layers", layers), described("clusters", clusters), described("methods", methods))
                    .filter(text -> !text.isEmpty())
                    .collect(Collectors.joining(", "));
        }

        private static String described(String what, List<String> names) {
            return names.isEmpty()
                    ? ""
                    : what + " " + names.stream().map(Escapes::escaped).collect(Collectors.joining(" "));
        }

        private static boolean names(List<String> wanted, LayerCall layer) {
            return wanted.isEmpty()
                    || wanted.contains(layer.layer())
                    || wanted.contains(layer.layer() + "@" + layer.call());
        }

        private static boolean names(List<String> wanted, String name) {
            return wanted.isEmpty() || wanted.contains(name);
        }

        private static void require(boolean has, String option, String wanted, List<String> there) {
            if (!has) {
                throw new UserException("scores.csv has nothing for " + option + " " + wanted + "; it has "
                        + there.stream().limit(MOST_NAMES).collect(Collectors.joining(", "))
                        + (there.size() > MOST_NAMES ? " and " + (there.size() - MOST_NAMES) + " more" : ""));
            }
        }
    }

    /**
     * The page of a run whose files are there.
     *
     * @throws UserException if a file is missing or damaged, or the files are not of one run
     */
    public static Report read(DirectoryFiles files) {
        return read(files, Part.ALL, USUAL, null);
    }

    /**
     * The page of a part of a run whose files are there.
     *
     * @param bytes the page takes at most, or {@link #USUAL}
     * @param data  the file of the run's samples, of which examples are shown; null if it is not at hand
     * @throws UserException if a file is missing or damaged, or the files are not of one run
     */
    public static Report read(DirectoryFiles files, Part part, long bytes, Path data) {
        Report report = new Report(RunData.read(files, part), part, bytes);
        Source found = files.source(Examples.FILE);
        if (data != null) {
            report.requireData(data);
        }
        if (found.exists()) {
            report.takeExamples(found, data);
        }
        return report;
    }

    /**
     * The page of a run that has just ended; the same as that of its files.
     *
     * @param summary  as it is written
     * @param curves   empty if no neurons were removed
     * @param names    of the clusters
     * @param compared {@code scores.csv} where it compares clusters, which scores do not; else null
     * @param examples {@code examples.csv}, or null if the run has none
     */
    public static Report of(
            JsonNode summary,
            Scores scores,
            List<RemovalCurve> curves,
            ClusterNames names,
            Path compared,
            Path examples) {
        Report report = new Report(RunData.of(summary, scores, curves, names, compared), Part.ALL, USUAL);
        if (examples != null) {
            report.takeExamples(
                    new Source(examples), Path.of(report.summary.scored().file()));
        }
        return report;
    }

    /** Writes the page. */
    public void write(Writer to) throws IOException {
        to.append(page().text());
    }

    /** Prints what a page does not show, and how to see it; nothing, if it shows all. */
    public static void tellLeftOut(List<String> leftOut, PrintWriter to) {
        if (!leftOut.isEmpty()) {
            to.println(
                    "Left out of the page (report --layer, --cluster and --method draw a part in full, --page-limit a"
                            + " larger page):");
            leftOut.forEach(what -> to.println("  " + Escapes.visible(what)));
        }
    }

    /** What of the run the page does not show, in words. */
    public List<String> leftOut() {
        return page().leftOut();
    }

    private void requireData(Path data) {
        FileDigest given = FileDigest.of(data);
        if (!given.sha256().equals(summary.scored().sha256())) {
            throw new UserException("data file " + data + " is not the one of this run, "
                    + summary.scored().file() + " (" + summary.scored().bytes() + " bytes, SHA-256 "
                    + summary.scored().sha256() + "); give that file with --data");
        }
    }

    private void takeExamples(Source file, Path data) {
        examples = Examples.read(file, all);
        samples = data == null
                ? Samples.none("The samples themselves are shown by pregrad report --data FILE.npz.")
                : Samples.read(data, summary.input(), examples, Limits.MOST_PICTURES);
    }

    /** The finest page that is small enough; the coarsest, if none is. */
    private Page page() {
        for (Limits limits : page == null ? Limits.fromFineToCoarse(all.size()) : List.<Limits>of()) {
            if (!limits.mayFit(all, curves, bytes - FIXED)) {
                continue;
            }
            page = new Page(
                    text(limits), limits.leftOut(all, curves, examples.groups().size()));
            if (page.text().getBytes(StandardCharsets.UTF_8).length <= bytes) {
                break;
            }
        }
        if (page == null) {
            List<Limits> any = Limits.fromFineToCoarse(all.size());
            Limits coarsest = any.get(any.size() - 1);
            page = new Page(
                    text(coarsest),
                    coarsest.leftOut(all, curves, examples.groups().size()));
        }
        return page;
    }

    private String text(Limits limits) {
        List<LayerScores> layers = all.stream().limit(limits.layers()).toList();
        List<LayerCall> calls = layers.stream().map(LayerScores::layer).toList();
        List<PanelKey> panels = layers.stream()
                .flatMap(
                        layer -> limits.detailedOf(layer).stream().map(cluster -> new PanelKey(layer.layer(), cluster)))
                .toList();
        List<Assets.Script> scripts = Assets.scripts();
        List<String> leftOut = limits.leftOut(all, curves, examples.groups().size());
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("policy", scripts.stream().map(Assets.Script::hash).collect(Collectors.joining(" ")));
        shown.put("style", Assets.text("report.css"));
        shown.put("scripts", scripts.stream().map(Assets.Script::text).toList());
        shown.put("data", ScriptJson.text(data(layers, calls, limits)));
        shown.put("samples", summary.samples());
        shown.put("model", summary.files().get(0).file());
        shown.put("dataFile", summary.files().get(1).file());
        shown.put("part", part.described());
        shown.put("hasPart", !part.described().isEmpty());
        shown.put("hasCurves", summary.hasCurves());
        shown.put("hasSeveralLayers", layers.size() > 1);
        shown.put("hasExamples", !examples.groups().isEmpty());
        shown.put("leftOut", leftOut);
        shown.put("anyLeftOut", !leftOut.isEmpty());
        shown.put("areas", Tables.areas(panels, calls, summary.areas()));
        int ranks = Math.min(
                limits.top(),
                layers.stream().mapToInt(LayerScores::neurons).max().orElseThrow());
        shown.put("ranks", IntStream.rangeClosed(1, ranks).boxed().toList());
        shown.put("topColumns", ranks + 1);
        shown.put("top", Tables.top(layers, summary.aggregates(), limits));
        shown.put("cancellation", Tables.cancellation(panels, layers, summary.scores()));
        shown.put("command", summary.command());
        shown.put("versions", summary.versions().entrySet());
        shown.put("options", summary.options().entrySet());
        shown.put("files", summary.files());
        shown.put("echarts", Assets.echartsVersion());
        shown.put("notices", Assets.text("third-party.txt"));
        shown.put("licence", Assets.text("LICENSE"));
        try {
            return Mustache.compiler()
                    .withEscaper(Report::escaped)
                    .compile(Assets.text("report.html"))
                    .execute(shown);
        } catch (MustacheException e) {
            throw new IllegalStateException("the page's template does not fit its data", e);
        }
    }

    /** Text in elements and attributes of the page; names could else turn the direction of what is written there. */
    private static String escaped(String text) {
        return Stream.of(text.split("\n", -1))
                .map(Escapes::visible)
                .map(Escapers.HTML::escape)
                .collect(Collectors.joining("\n"));
    }

    private PageData data(List<LayerScores> layers, List<LayerCall> calls, Limits limits) {
        CurveSets sets = new CurveSets(curves, summary.areas(), limits.points());
        return new PageData(
                summary.aggregates(),
                CurvesCsv.METRICS,
                summary.against(),
                layers.stream().map(layer -> data(layer, sets, limits)).toList(),
                examples.groups().isEmpty() ? null : examples.shown(calls, limits, samples));
    }

    private PageData.Layer data(LayerScores layer, CurveSets sets, Limits limits) {
        List<String> clusters = limits.clustersOf(layer);
        List<String> detailed = limits.detailedOf(layer);
        boolean isWhole = layer.neurons() <= limits.neurons();
        int rows = isWhole
                ? layer.neurons()
                : Math.max(1, limits.neurons() / summary.aggregates().size());
        return new PageData.Layer(
                layer.layer().label(),
                layer.neurons(),
                layer.methods(),
                clusters.stream()
                        .map(cluster -> new PageData.Cluster(
                                Escapes.escaped(cluster),
                                layer.count(cluster),
                                detailed.contains(cluster) ? spreads(layer, cluster) : null,
                                detailed.contains(cluster) ? sets.of(new PanelKey(layer.layer(), cluster)) : null))
                        .toList(),
                Math.min(MOST_ROWS, rows),
                layer.methods().stream()
                        .map(method -> scores(layer, clusters, method, isWhole ? layer.neurons() : rows, limits))
                        .toList());
    }

    private static List<PageData.Spread> spreads(LayerScores layer, String cluster) {
        return layer.methods().stream()
                .map(method -> layer.of(cluster, method))
                .filter(Objects::nonNull)
                .map(LayerScores.Columns::cancellation)
                .filter(Objects::nonNull)
                .toList();
    }

    /** @param rows so many neurons with the largest scores of each aggregate are there for all clusters */
    private PageData.Scores scores(LayerScores layer, List<String> clusters, String method, int rows, Limits limits) {
        List<LayerScores.Columns> scores =
                clusters.stream().map(cluster -> layer.of(cluster, method)).toList();
        boolean isWhole = rows >= layer.neurons();
        int[] neurons = isWhole
                ? IntStream.range(0, layer.neurons()).toArray()
                : summary.aggregates().stream()
                        .flatMapToInt(aggregate -> IntStream.of(
                                Neurons.largestByCluster(columns(scores, aggregate), layer.neurons(), rows)))
                        .distinct()
                        .sorted()
                        .toArray();
        Map<String, Packed> columns = new LinkedHashMap<>();
        layer.columns().forEach(name -> columns.put(name, packed(columns(scores, name), neurons, limits)));
        Map<String, PageData.First> first = new LinkedHashMap<>();
        Map<String, Map<String, Packed>> overview = new LinkedHashMap<>();
        for (String aggregate : summary.aggregates()) {
            if (!isWhole) {
                first.put(aggregate, first(layer, scores, aggregate, limits));
            }
            Map<String, Packed> measures = new LinkedHashMap<>();
            Overview.of(layer, clusters, method, aggregate, areas(method, aggregate))
                    .forEach((name, values) -> measures.put(name, Packed.of(values, limits.bytes())));
            overview.put(aggregate, measures);
        }
        return new PageData.Scores(
                method, isWhole ? null : Packed.of(neurons), columns, isWhole ? null : first, overview);
    }

    private Map<PanelKey, RunSummary.Area> areas(String method, String aggregate) {
        return summary.areas().stream()
                .filter(area -> !area.keep()
                        && area.method().equals(method)
                        && area.aggregate().equals(aggregate))
                .collect(Collectors.toMap(RunSummary.Area::panel, area -> area, (one, same) -> one));
    }

    private static PageData.First first(
            LayerScores layer, List<LayerScores.Columns> scores, String aggregate, Limits limits) {
        int most = limits.first();
        int[] neurons = new int[scores.size() * most];
        for (int cluster = 0; cluster < scores.size(); cluster++) {
            LayerScores.Columns columns = scores.get(cluster);
            int[] known = columns == null ? new int[0] : columns.first().get(aggregate);
            for (int rank = 0; rank < most; rank++) {
                neurons[cluster * most + rank] = rank < known.length ? known[rank] : layer.neurons();
            }
        }
        Map<String, Packed> packed = new LinkedHashMap<>();
        for (String name : layer.columnsOf(aggregate)) {
            float[] values = new float[neurons.length];
            for (int at = 0; at < values.length; at++) {
                LayerScores.Columns columns = scores.get(at / most);
                float[] from = columns == null ? null : columns.values().get(name);
                values[at] = from == null || neurons[at] == layer.neurons() ? Float.NaN : from[neurons[at]];
            }
            packed.put(name, Packed.of(values, limits.bytes()));
        }
        return new PageData.First(most, Packed.of(neurons), packed);
    }

    /** One array per cluster, empty where there are no scores. */
    private static List<float[]> columns(List<LayerScores.Columns> scores, String name) {
        List<float[]> columns = new ArrayList<>();
        for (LayerScores.Columns of : scores) {
            columns.add(
                    of == null || !of.values().containsKey(name)
                            ? new float[0]
                            : of.values().get(name));
        }
        return columns;
    }

    private static Packed packed(List<float[]> columns, int[] neurons, Limits limits) {
        float[] values = new float[neurons.length * columns.size()];
        int at = 0;
        for (int neuron : neurons) {
            for (float[] column : columns) {
                values[at++] = column.length == 0 ? Float.NaN : column[neuron];
            }
        }
        return Packed.of(values, limits.bytes());
    }
}
