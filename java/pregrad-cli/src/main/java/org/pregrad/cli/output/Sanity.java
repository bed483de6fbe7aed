package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.pregrad.Aggregate;
import org.pregrad.Certainty;
import org.pregrad.Method;
import org.pregrad.RankCorrelation;
import org.pregrad.Score;
import org.pregrad.Scores;

/**
 * Whether a ranking says something of what the model has learned: it must not be that of the same model with shuffled
 * weights (Adebayo et al., arXiv:1810.03292). {@code random}, which looks at no weight, is the control: its ranking stays.
 *
 * @param rankCorrelation Spearman's of the scores of both models; null where one of them is constant
 * @param q               the false discovery rate, over the clusters of this layer call, method and aggregate, at which
 *                        the rankings would just be called related: by t = r·√((n − 2) / (1 − r²)) of n neurons
 * @param verdict         {@code kept} where the correlation is positive and q is at most 0.05, {@code destroyed} where it is
 *                        not, {@code undecided} where there is none
 */
public record Sanity(
        String layer,
        long call,
        long cluster,
        String method,
        String aggregate,
        @JsonProperty("rank_correlation") Double rankCorrelation,
        Double q,
        String verdict) {
    private static final double RELATED = 0.05;
    private static final String KEPT = "kept";
    private static final String DESTROYED = "destroyed";
    private static final String UNDECIDED = "undecided";

    private record Family(String layer, long call, Method method, Aggregate aggregate) {}

    private record Key(String layer, long call, long cluster, Method method) {
        static Key of(Score score) {
            return new Key(score.layer(), score.call(), score.cluster(), score.method());
        }
    }

    /** One entry per layer call, cluster, method and aggregate; of {@code random} one aggregate, as it has one number. */
    public static List<Sanity> of(Scores scores, Scores ofShuffled, List<Aggregate> aggregates) {
        Map<Key, Score> others = new LinkedHashMap<>();
        ofShuffled.all().forEach(score -> others.put(Key.of(score), score));
        Map<Family, List<Score>> families = new LinkedHashMap<>();
        for (Score score : scores.all()) {
            List<Aggregate> ranked = score.method() == Method.RANDOM ? List.of(Aggregate.MEAN) : aggregates;
            if (others.containsKey(Key.of(score))) {
                ranked.forEach(aggregate -> families.computeIfAbsent(
                                new Family(score.layer(), score.call(), score.method(), aggregate),
                                key -> new ArrayList<>())
                        .add(score));
            }
        }
        List<Sanity> entries = new ArrayList<>();
        families.forEach((family, members) -> {
            double[] correlations = members.stream()
                    .mapToDouble(score -> RankCorrelation.spearman(
                            score.of(family.aggregate()),
                            others.get(Key.of(score)).of(family.aggregate())))
                    .toArray();
            double[] p = new double[correlations.length];
            for (int i = 0; i < p.length; i++) {
                p[i] = p(correlations[i], members.get(i).neurons());
            }
            double[] q = Certainty.falseDiscoveryRates(p);
            for (int i = 0; i < p.length; i++) {
                entries.add(new Sanity(
                        family.layer(),
                        family.call(),
                        members.get(i).cluster(),
                        family.method().id(),
                        family.aggregate().id(),
                        Json.orNull(correlations[i]),
                        Json.orNull(q[i]),
                        Double.isNaN(q[i]) ? UNDECIDED : correlations[i] > 0 && q[i] <= RELATED ? KEPT : DESTROYED));
            }
        });
        return List.copyOf(entries);
    }

    private static double p(double correlation, int neurons) {
        if (Double.isNaN(correlation) || neurons < 3) {
            return Double.NaN;
        }
        double rest = 1 - correlation * correlation;
        return rest <= 0 ? 0 : Certainty.studentP(correlation * Math.sqrt((neurons - 2) / rest), neurons - 2.0);
    }

    /** A row for each layer call, method and aggregate, over the clusters. */
    public static String table(List<Sanity> entries) {
        Map<List<Object>, List<Sanity>> rows = new LinkedHashMap<>();
        entries.forEach(each -> rows.computeIfAbsent(
                        List.of(each.layer(), each.call(), each.method(), each.aggregate()), key -> new ArrayList<>())
                .add(each));
        Table table = new Table(
                "lllrrl",
                List.of("layer", "method", "aggregate", "mean rank correlation", "kept", "with shuffled weights"));
        rows.values().forEach(row -> table.add(row(row)));
        return "\n" + table.render();
    }

    private static List<String> row(List<Sanity> clusters) {
        Sanity any = clusters.get(0);
        long kept =
                clusters.stream().filter(each -> each.verdict().equals(KEPT)).count();
        boolean decided = clusters.stream().anyMatch(each -> !each.verdict().equals(UNDECIDED));
        double mean = clusters.stream()
                .map(Sanity::rankCorrelation)
                .filter(Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .average()
                .orElse(Double.NaN);
        String isControl = any.method().equals(Method.RANDOM.id()) ? ", as it must be: it looks at no weight" : "";
        return Arrays.asList(
                any.layer() + "@" + any.call(),
                any.method(),
                any.aggregate(),
                Double.isNaN(mean) ? "-" : String.format(Locale.ROOT, "%.2f", mean),
                kept + " of " + clusters.size(),
                !decided ? UNDECIDED : kept == 0 ? DESTROYED : KEPT + isControl);
    }
}
