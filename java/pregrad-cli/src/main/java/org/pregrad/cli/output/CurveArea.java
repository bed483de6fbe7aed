package org.pregrad.cli.output;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.pregrad.Aggregate;
import org.pregrad.Certainty;
import org.pregrad.Method;
import org.pregrad.RankCorrelation;
import org.pregrad.RemovalCurve;
import org.pregrad.RemovalOrder;
import org.pregrad.Score;
import org.pregrad.Scores;

/**
 * What a removal curve comes to, against chance and the oracle; null is what there is not.
 *
 * @param curve           {@code remove} or {@code keep}; null where no neurons were kept
 * @param area            under the curve; of random the mean over its repeats
 * @param areaError       its standard error, the samples drawn independently; null for random
 * @param areaLow         where its 95% confidence interval by Student's t begins
 * @param areaHigh        where that ends
 * @param randomArea      the mean area of random in this layer call and cluster
 * @param randomAreaStd   its standard deviation over the repeats, the population's
 * @param fromRandom      how far the area is from that of random; null for random
 * @param rankCorrelation Spearman's of these scores with the mean of ablation
 */
public record CurveArea(
        String layer,
        long call,
        long cluster,
        String method,
        String aggregate,
        @JsonInclude(JsonInclude.Include.NON_NULL) String curve,
        Double area,
        @JsonProperty("area_error") Double areaError,
        @JsonProperty("area_low") Double areaLow,
        @JsonProperty("area_high") Double areaHigh,
        @JsonProperty("random_area") Double randomArea,
        @JsonProperty("random_area_std") Double randomAreaStd,
        @JsonProperty("from_random") FromRandom fromRandom,
        @JsonProperty("rank_correlation") Double rankCorrelation) {

    /** What intervals cover; they are left out of it in one of twenty cases. */
    public static final double CONFIDENCE = 0.95;

    /**
     * Whether an order does other than one that is drawn: its area minus the mean of those drawn, which has the error √(s²(1
     * + 1/R) + e²) with s their standard deviation over R repeats, as one more of them would have, and e the error of the area
     * over the samples.
     *
     * @param p of the test, by Student's t, that the order is one of those drawn, two-sided
     */
    public record FromRandom(double difference, double error, double low, double high, double p) {
        /** Null where there are too few samples or repeats. */
        static FromRandom of(double area, double areaError, long samples, List<Double> random) {
            if (random.size() < 2 || Double.isNaN(area) || Double.isNaN(areaError)) {
                return null;
            }
            double repeats = random.size();
            double drawn = std(random) * std(random) * repeats / (repeats - 1) * (1 + 1 / repeats);
            double own = areaError * areaError;
            double difference = area - mean(random);
            double error = Math.sqrt(drawn + own);
            if (error == 0) {
                return new FromRandom(difference, 0, difference, difference, difference == 0 ? 1 : 0);
            }
            // Welch and Satterthwaite's.
            double share = drawn / (drawn + own);
            double degrees = 1 / (share * share / (repeats - 1) + (1 - share) * (1 - share) / (samples - 1));
            double reach = Certainty.studentBound(CONFIDENCE, degrees) * error;
            return new FromRandom(
                    difference,
                    error,
                    difference - reach,
                    difference + reach,
                    Certainty.studentP(difference / error, degrees));
        }
    }

    /** What the curves of one method and aggregate have in common. */
    private record Key(String layer, long call, long cluster, Method method, Aggregate aggregate, boolean keep) {
        static Key of(RemovalOrder order) {
            return new Key(
                    order.layer(), order.call(), order.cluster(), order.method(), order.aggregate(), order.keep());
        }

        Key with(Method otherMethod, Aggregate otherAggregate) {
            return new Key(layer, call, cluster, otherMethod, otherAggregate, false);
        }
    }

    /** One entry per layer call, cluster, method and aggregate, in the order of the curves. */
    public static List<CurveArea> of(List<RemovalCurve> curves, Scores scores) {
        Map<Key, List<Double>> areas = new LinkedHashMap<>();
        Map<Key, RemovalCurve> first = new HashMap<>();
        for (RemovalCurve curve : curves) {
            Key key = Key.of(curve.order());
            areas.computeIfAbsent(key, name -> new ArrayList<>()).add(curve.area());
            first.putIfAbsent(key, curve);
        }
        boolean anyKept = areas.keySet().stream().anyMatch(Key::keep);
        Map<Key, Score> byKey = new HashMap<>();
        for (Score score : scores.all()) {
            // All aggregates stand in one score.
            byKey.put(
                    new Key(score.layer(), score.call(), score.cluster(), score.method(), Aggregate.MEAN, false),
                    score);
        }
        List<CurveArea> entries = new ArrayList<>();
        areas.forEach((key, repeats) -> {
            List<Double> random = areas.getOrDefault(key.with(Method.RANDOM, Aggregate.MEAN), List.of());
            Score score = byKey.get(key.with(key.method(), Aggregate.MEAN));
            Score oracle = byKey.get(key.with(Method.ABLATION, Aggregate.MEAN));
            boolean isRandom = key.method() == Method.RANDOM;
            RemovalCurve curve = first.get(key);
            double error = isRandom ? Double.NaN : curve.areaError();
            double reach =
                    Double.isNaN(error) ? error : Certainty.studentBound(CONFIDENCE, curve.count() - 1.0) * error;
            entries.add(new CurveArea(
                    key.layer(),
                    key.call(),
                    key.cluster(),
                    key.method().id(),
                    key.aggregate().id(),
                    anyKept ? (key.keep() ? CurvesCsv.KEEP : CurvesCsv.REMOVE) : null,
                    Json.orNull(mean(repeats)),
                    Json.orNull(error),
                    Json.orNull(mean(repeats) - reach),
                    Json.orNull(mean(repeats) + reach),
                    Json.orNull(mean(random)),
                    Json.orNull(std(random)),
                    isRandom ? null : FromRandom.of(mean(repeats), error, curve.count(), random),
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
