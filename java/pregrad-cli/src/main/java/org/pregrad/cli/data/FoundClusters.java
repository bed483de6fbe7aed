package org.pregrad.cli.data;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.hipparchus.clustering.CentroidCluster;
import org.hipparchus.clustering.Clusterable;
import org.hipparchus.clustering.KMeansPlusPlusClusterer;
import org.hipparchus.clustering.distance.EuclideanDistance;
import org.hipparchus.random.Well19937c;
import org.pregrad.Attribution;
import org.pregrad.Model;
import org.pregrad.cli.errors.UserException;

/**
 * Clusters that are found rather than given: k-means (Lloyd's steps from k-means++) over the mean activations of a layer, or
 * over the inputs as they are. All values are in memory, 16 bytes each.
 *
 * @param count how many clusters
 * @param place the layer, {@code input:NAME} or {@code inputs}
 */
public record FoundClusters(int count, String place) {
    /** What {@code --clusters} is given for clusters that are found. */
    public static final String FORM = "kmeans:K@LAYER";

    private static final Pattern GIVEN = Pattern.compile("kmeans:(\\d{1,6})@(.+)");
    private static final String INPUTS = "inputs";
    private static final String INPUT = "input:";
    private static final int MOST_STEPS = 300;

    /** What an option says; null if it is the name of an array. */
    public static FoundClusters of(String option) {
        if (option == null || !option.startsWith("kmeans:")) {
            return null;
        }
        Matcher matcher = GIVEN.matcher(option);
        if (!matcher.matches() || Integer.parseInt(matcher.group(1)) < 1) {
            throw new UserException("--clusters " + option + " is no " + FORM
                    + "; give e.g. kmeans:8@relu, kmeans:8@input:x or kmeans:8@inputs");
        }
        return new FoundClusters(Integer.parseInt(matcher.group(1)), matcher.group(2));
    }

    /** As the option gives it. */
    @Override
    public String toString() {
        return "kmeans:" + count + "@" + place;
    }

    private record Point(int sample, double[] values) implements Clusterable {
        @Override
        public double[] getPoint() {
            return values;
        }
    }

    /** The centres of clusters, numbered by the first sample that each has. */
    public record Centres(List<double[]> centres) {
        /** The cluster of each sample: that of the nearest centre. */
        public long[] nearest(List<double[]> values) {
            return values.stream().mapToLong(this::nearest).toArray();
        }

        private long nearest(double[] values) {
            EuclideanDistance distance = new EuclideanDistance();
            int nearest = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int centre = 0; centre < centres.size(); centre++) {
                double away = distance.compute(values, centres.get(centre));
                if (away < least) {
                    least = away;
                    nearest = centre;
                }
            }
            return nearest;
        }
    }

    /** Finds the centres; the same seed finds the same. */
    public Centres centres(List<double[]> values, long seed) {
        if (count > values.size()) {
            throw new UserException("--clusters " + this + " asks for " + count + " clusters of " + values.size()
                    + " samples; give at most as many clusters as samples");
        }
        List<Point> points = new ArrayList<>();
        for (int sample = 0; sample < values.size(); sample++) {
            points.add(new Point(sample, values.get(sample)));
        }
        List<CentroidCluster<Point>> found = new KMeansPlusPlusClusterer<Point>(
                        count, MOST_STEPS, new EuclideanDistance(), new Well19937c(seed))
                .cluster(points);
        Map<CentroidCluster<Point>, Integer> first = new HashMap<>();
        found.forEach(cluster -> first.put(
                cluster,
                cluster.getPoints().stream().mapToInt(Point::sample).min().orElse(Integer.MAX_VALUE)));
        return new Centres(found.stream()
                .sorted((left, right) -> Integer.compare(first.get(left), first.get(right)))
                .map(cluster -> cluster.getCenter().getPoint().clone())
                .toList());
    }

    /**
     * The values of each sample.
     *
     * @param builder of an attribution of the model, which knows the target
     */
    public List<double[]> values(Model model, Attribution.Builder builder, Dataset data, int batchSize) {
        boolean isOfInputs = place.equals(INPUTS) || place.startsWith(INPUT);
        return isOfInputs ? ofInputs(model, data, batchSize) : ofActivations(builder, data, batchSize);
    }

    private List<double[]> ofInputs(Model model, Dataset data, int batchSize) {
        List<double[]> values = new ArrayList<>();
        for (Batch batch = data.next(batchSize); batch != null; batch = data.next(batchSize)) {
            List<Batch.Part> parts = batch.parts().stream()
                    .filter(part -> !part.shared() && isWanted(part, model))
                    .toList();
            if (parts.isEmpty()) {
                throw new UserException("--clusters " + this + " finds no input of floating-point values by that name;"
                        + " name another, or a layer");
            }
            List<double[]> first = new ArrayList<>();
            for (Batch.Part part : parts) {
                append(part, batch.samples(), first);
            }
            values.addAll(first);
            LayerActivations.requireMemory(data.samples(), first.get(0).length);
        }
        return values;
    }

    private boolean isWanted(Batch.Part part, Model model) {
        boolean isFloating = part.values() instanceof FloatBuffer || part.values() instanceof DoubleBuffer;
        String name = place.startsWith(INPUT) ? place.substring(INPUT.length()) : part.name();
        boolean isOnly = part.name().isEmpty()
                && model.inputs().stream().anyMatch(input -> input.name().equals(name));
        return isFloating && (name.equals(part.name()) || isOnly);
    }

    /** Puts a part's values behind those that each sample has already. */
    private static void append(Batch.Part part, int samples, List<double[]> to) {
        int each = part.values().remaining() / samples;
        for (int sample = 0; sample < samples; sample++) {
            double[] before = to.size() > sample ? to.get(sample) : new double[0];
            double[] all = Arrays.copyOf(before, before.length + each);
            for (int i = 0; i < each; i++) {
                int at = part.values().position() + sample * each + i;
                all[before.length + i] = part.values() instanceof FloatBuffer floats
                        ? floats.get(at)
                        : ((DoubleBuffer) part.values()).get(at);
            }
            if (to.size() > sample) {
                to.set(sample, all);
            } else {
                to.add(all);
            }
        }
    }

    private List<double[]> ofActivations(Attribution.Builder builder, Dataset data, int batchSize) {
        List<LayerActivations> calls = LayerActivations.of(List.of(place), builder, data, batchSize);
        if (calls.size() > 1) {
            throw new UserException("layer '" + place + "' has several calls: name one of "
                    + calls.stream().map(LayerActivations::id).collect(Collectors.joining(", ")));
        }
        return calls.get(0).values();
    }
}
