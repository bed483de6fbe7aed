package org.pregrad.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.pregrad.cli.report.DirectoryFiles.Source;

/**
 * The samples for which neurons have their largest values, of {@code examples.csv}: of the first neurons of each ranking.
 *
 * @param groups those of the first ranks first
 */
record Examples(List<Group> groups) {
    static final String FILE = "examples.csv";

    /** So many first neurons of each ranking have their examples on the page. */
    private static final int NEURONS = 10;

    private static final int MOST_OF_A_NEURON = 12;
    private static final long NO_POSITION = -1;

    /** The examples of a neuron by a method, best first; {@code rank} is its best one in any ranking. */
    record Group(PanelKey panel, String method, int neuron, int rank, List<Example> examples) {}

    /** @param position negative for all positions together */
    record Example(long sample, long position, double value) {}

    /**
     * Examples as the page has them.
     *
     * @param samples what can be shown of a sample, by its index
     * @param note    why samples are not shown, or how; empty if there is nothing to say
     */
    record Shown(List<ShownGroup> groups, Map<Long, Samples.Sample> samples, String note) {}

    /**
     * @param layer     the index of the call of a layer among those that are shown
     * @param positions null if there are none
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ShownGroup(
            int layer, String cluster, String method, int neuron, long[] samples, long[] positions, double[] values) {}

    private record Key(PanelKey panel, String method, int neuron) {}

    /** @param layers whose rankings decide which neurons have examples on the page */
    static Examples read(Source source, List<LayerScores> layers) {
        return source.read(text -> read(source, text, firstNeurons(layers)));
    }

    /** By panel the best rank of each neuron that is among the first. */
    private static Map<PanelKey, Map<Integer, Integer>> firstNeurons(List<LayerScores> layers) {
        Map<PanelKey, Map<Integer, Integer>> ranks = new HashMap<>();
        for (LayerScores layer : layers) {
            for (String cluster : layer.clusters()) {
                Map<Integer, Integer> best = new HashMap<>();
                for (String method : layer.methods()) {
                    LayerScores.Columns columns = layer.of(cluster, method);
                    if (columns != null) {
                        columns.first().values().forEach(first -> {
                            for (int rank = 0; rank < Math.min(NEURONS, first.length); rank++) {
                                best.merge(first[rank], rank, Math::min);
                            }
                        });
                    }
                }
                ranks.put(new PanelKey(layer.layer(), cluster), best);
            }
        }
        return ranks;
    }

    private static Examples read(Source source, Reader text, Map<PanelKey, Map<Integer, Integer>> ranks)
            throws IOException {
        CsvRows rows = new CsvRows(source, text);
        int layer = rows.column("layer");
        int call = rows.column("call");
        int cluster = rows.column("cluster");
        int method = rows.column("method");
        int neuron = rows.column("neuron");
        int rank = rows.column("rank");
        int sample = rows.column("sample");
        int position = rows.optionalColumn("position");
        int value = rows.column("value");
        Map<Key, TreeMap<Integer, Example>> found = new LinkedHashMap<>();
        while (rows.next()) {
            PanelKey panel = new PanelKey(new LayerCall(rows.text(layer), rows.integer(call)), rows.text(cluster));
            int of = rows.index(neuron);
            if (!ranks.getOrDefault(panel, Map.of()).containsKey(of)) {
                continue;
            }
            boolean anywhere = position < 0 || rows.text(position).isEmpty();
            found.computeIfAbsent(new Key(panel, rows.text(method), of), key -> new TreeMap<>())
                    .put(
                            rows.index(rank),
                            new Example(
                                    rows.index(sample),
                                    anywhere ? NO_POSITION : rows.index(position),
                                    rows.number(value)));
        }
        List<Group> groups = new ArrayList<>();
        found.forEach((key, byRank) -> groups.add(new Group(
                key.panel(),
                key.method(),
                key.neuron(),
                ranks.get(key.panel()).get(key.neuron()),
                byRank.values().stream().limit(MOST_OF_A_NEURON).toList())));
        groups.sort(Comparator.comparingInt(Group::rank));
        return new Examples(List.copyOf(groups));
    }

    /** The samples that occur, those of the first groups first. */
    Set<Long> samples() {
        Set<Long> samples = new LinkedHashSet<>();
        groups.forEach(group -> group.examples().forEach(example -> samples.add(example.sample())));
        return samples;
    }

    /** By sample the positions that matter in it. */
    Map<Long, Set<Long>> positions() {
        Map<Long, Set<Long>> positions = new HashMap<>();
        groups.forEach(group -> group.examples().forEach(example -> {
            Set<Long> of = positions.computeIfAbsent(example.sample(), sample -> new LinkedHashSet<>());
            if (example.position() != NO_POSITION) {
                of.add(example.position());
            }
        }));
        return positions;
    }

    /**
     * What a page shows of them.
     *
     * @param layers  those on the page
     * @param samples what is known of samples
     */
    Shown shown(List<LayerCall> layers, Limits limits, Samples samples) {
        List<ShownGroup> shown = groups.stream()
                .filter(group -> layers.contains(group.panel().layer()))
                .limit(limits.examples())
                .map(group -> shown(group, layers.indexOf(group.panel().layer())))
                .toList();
        Map<Long, Samples.Sample> known = new TreeMap<>();
        for (ShownGroup group : shown) {
            for (long sample : group.samples()) {
                if (samples.byIndex().containsKey(sample) && known.size() < limits.pictures()) {
                    known.put(sample, samples.byIndex().get(sample));
                }
            }
        }
        return new Shown(shown, known, samples.note());
    }

    private static ShownGroup shown(Group group, int layer) {
        List<Example> examples = group.examples();
        boolean hasPositions = examples.stream().anyMatch(example -> example.position() != NO_POSITION);
        return new ShownGroup(
                layer,
                org.pregrad.Escapes.escaped(group.panel().cluster()),
                group.method(),
                group.neuron(),
                examples.stream().mapToLong(Example::sample).toArray(),
                hasPositions ? examples.stream().mapToLong(Example::position).toArray() : null,
                examples.stream().mapToDouble(Example::value).toArray());
    }
}
