package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;
import org.pregrad.Method;
import org.pregrad.RankCorrelation;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;
import org.pregrad.Score;
import org.pregrad.Scores;

/**
 * What a removal curve comes to, against chance and the oracle; null is what there is not.
 *
 * @param area            under the curve; of random the mean over its repeats
 * @param randomArea      the mean area of random in this layer call and cluster
 * @param randomAreaStd   its standard deviation over the repeats, the population's
 * @param rankCorrelation Spearman's of these scores with the mean of ablation
 */
public record CurveArea(
        String layer,
        long call,
        long cluster,
        String method,
        String aggregate,
        Double area,
        @JsonProperty("random_area") Double randomArea,
        @JsonProperty("random_area_std") Double randomAreaStd,
        @JsonProperty("rank_correlation") Double rankCorrelation) {

    /** What the curves of one method and aggregate have in common. */
    private record Key(String layer, long call, long cluster, Method method, Aggregate aggregate) {
        static Key of(RemovalOrder order) {
            return new Key(order.layer(), order.call(), order.cluster(), order.method(), order.aggregate());
        }

        Key with(Method otherMethod, Aggregate otherAggregate) {
            return new Key(layer, call, cluster, otherMethod, otherAggregate);
        }
    }

    /** One entry per layer call, cluster, method and aggregate, in the order of the curves. */
    public static List<CurveArea> of(List<RemovalCurve> curves, Scores scores) {
        Map<Key, List<Double>> areas = new LinkedHashMap<>();
        for (RemovalCurve curve : curves) {
            areas.computeIfAbsent(Key.of(curve.order()), key -> new ArrayList<>())
                    .add(curve.area());
        }
        Map<Key, Score> byKey = new HashMap<>();
        for (Score score : scores.all()) {
            // All aggregates stand in one score.
            byKey.put(new Key(score.layer(), score.call(), score.cluster(), score.method(), Aggregate.MEAN), score);
        }
        List<CurveArea> entries = new ArrayList<>();
        areas.forEach((key, repeats) -> {
            List<Double> random = areas.getOrDefault(key.with(Method.RANDOM, Aggregate.MEAN), List.of());
            Score score = byKey.get(key.with(key.method(), Aggregate.MEAN));
            Score oracle = byKey.get(key.with(Method.ABLATION, Aggregate.MEAN));
            entries.add(new CurveArea(
                    key.layer(),
                    key.call(),
                    key.cluster(),
                    key.method().id(),
                    key.aggregate().id(),
                    Json.orNull(mean(repeats)),
                    Json.orNull(mean(random)),
                    Json.orNull(std(random)),
                    Json.orNull(RankCorrelation.spearman(
                            ranked(score.of(key.aggregate())), ranked(oracle.of(Aggregate.MEAN))))));
        });
        return entries;
    }

    /** A ranking puts what is no number last, so it counts as less than all. */
    private static double[] ranked(double[] values) {
        return Arrays.stream(values)
                .map(value -> Double.isNaN(value) ? -Double.MAX_VALUE : value)
                .toArray();
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    private static double std(List<Double> values) {
        double mean = mean(values);
        return Math.sqrt(values.stream()
                .mapToDouble(value -> (value - mean) * (value - mean))
                .average()
                .orElse(Double.NaN));
    }
}
