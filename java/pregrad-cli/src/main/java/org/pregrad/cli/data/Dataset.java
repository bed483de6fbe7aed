package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.pregrad.ModelInput;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.output.ClusterNames;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayFileException;
import org.pregrad.data.ArrayReader;
import org.pregrad.data.ElementType;

/** Inputs, labels and clusters of a file, checked against each other and read batch by batch. */
public final class Dataset implements Closeable {
    private static final int CLUSTERS_AT_ONCE = 1 << 16;
    private static final String LABEL_NAMES = "label_names";

    private final ArrayFile file;
    private final List<InputArray> inputs = new ArrayList<>();
    private final List<InputArray> corrupt = new ArrayList<>();
    private final List<ModelInput> model;
    private final InputArray mask;
    private final IntegerArray labels;
    private final InputArray weights;
    private final IntegerArray clusters;
    private final ArrayNames names;
    private long next;
    /** Of each sample, where they were found rather than read; else null. */
    private long[] found;

    private String foundBy;

    private Dataset(ArrayFile file, ArrayNames names, List<ModelInput> model) throws IOException {
        this.file = file;
        this.names = names;
        this.model = model;
        for (InputNames.Bound bound : names.inputs().bind(model, file)) {
            inputs.add(new InputArray(array(bound.array(), "--inputs", ""), bound.input(), bound.shared()));
        }
        // The number of samples is that of the first, wherever inputs come together.
        inputs.sort(Comparator.comparing(InputArray::isShared));
        String mask = names.inputs().mask();
        boolean isInput = inputs.stream().anyMatch(input -> input.input().equals(mask));
        this.mask = mask == null || isInput ? null : new InputArray(array(mask, "--mask", ""), mask, false);
        batched().skip(1).forEach(this::requireSamplesOfTheFirst);
        boolean weighted = names.use() == ArrayNames.Labels.WEIGHTS;
        this.labels = names.labels() == null || weighted ? null : labels(names);
        this.weights = names.labels() == null || !weighted ? null : weights(names.labels());
        boolean clustered = names.clusters() != null && (names.clustersWanted() || file.holds(names.clusters()));
        if (clustered) {
            readClusterNames(names.clusters());
        }
        this.clusters = clustered ? clusters(names.clusters()) : null;
    }

    /**
     * @param model what the model takes
     * @throws UserException if one of the arrays cannot be used, or an input has none
     * @throws ArrayFileException if the file cannot
     */
    public static Dataset open(Path path, ArrayNames names, List<ModelInput> model) {
        names.inputs().requireInputsOf(model);
        ArrayFile file = ArrayFile.open(path);
        try {
            return new Dataset(file, names, model);
        } catch (ArrayFileException e) {
            closeAfter(file, e);
            throw e;
        } catch (UserException e) {
            closeAfter(file, e);
            throw named(path, e);
        } catch (IOException e) {
            closeAfter(file, e);
            throw unreadable(path, e);
        }
    }

    /**
     * Reads the inputs too that others are held against: arrays of their names behind the prefix and a dot, or of the prefix
     * alone for a model of one input. Before the first batch.
     *
     * @return this
     * @throws UserException if there is none, or one of another length; the data is closed then
     */
    public Dataset withCorrupt(String prefix) {
        try {
            findCorrupt(prefix);
            return this;
        } catch (UserException e) {
            closeAfter(this, e);
            throw named(file.path(), e);
        } catch (IOException e) {
            closeAfter(this, e);
            throw unreadable(file.path(), e);
        }
    }

    private void findCorrupt(String prefix) throws IOException {
        if (inputs.get(0).input().equals(InputNames.ONLY)) {
            // Beside others it must have its name.
            String own = model.isEmpty() ? InputNames.DEFAULT : model.get(0).name();
            inputs.set(0, new InputArray(inputs.get(0).reader(), own, false));
        }
        for (InputArray input : inputs) {
            List<String> possible = inputs.size() == 1
                    ? List.of(
                            prefix + "." + input.input(),
                            prefix + "." + input.reader().name(),
                            prefix)
                    : List.of(
                            prefix + "." + input.input(),
                            prefix + "." + input.reader().name());
            for (String name : possible) {
                if (file.holds(name)) {
                    corrupt.add(new InputArray(file.open(name), prefix + "." + input.input(), input.isShared()));
                    break;
                }
            }
        }
        if (corrupt.isEmpty()) {
            String name = prefix + "." + inputs.get(0).reader().name();
            throw new UserException("there is no array '" + name + "'; it holds " + InputNames.listed(file.names())
                    + "; gradient-x-difference and patching hold the inputs against corrupt ones: save these as " + name
                    + ", or name what they begin with by --corrupt");
        }
        corrupt.stream().filter(input -> !input.isShared()).forEach(this::requireSamplesOfTheFirst);
    }

    /**
     * Puts clusters in the place of those of the file.
     *
     * @param by    what they were found by, in words
     * @param given one per sample
     * @return this
     */
    public Dataset withClusters(String by, long[] given) {
        found = given.clone();
        foundBy = by;
        return this;
    }

    /** Number of samples. */
    public long samples() {
        return inputs.get(0).samples();
    }

    /** The names of the arrays that are read, by what they are; null for those that are not. */
    public Map<String, Object> read() {
        Map<String, Object> read = new LinkedHashMap<>();
        List<String> entries = inputs.stream()
                .map(input -> new InputNames.Entry(input.input(), input.reader().name()).toString())
                .toList();
        boolean unnamed = inputs.get(0).input().equals(InputNames.ONLY);
        read.put("inputs", unnamed ? inputs.get(0).reader().name() : entries);
        if (inputs.stream().anyMatch(InputArray::isShared)) {
            read.put(
                    "shared",
                    inputs.stream()
                            .filter(InputArray::isShared)
                            .map(InputArray::input)
                            .toList());
        }
        read.put("labels", names.labels());
        read.put("clusters", found != null ? foundBy : clusters == null ? null : names.clusters());
        return read;
    }

    /** What goes into the model. */
    List<InputArray> inputs() {
        return inputs;
    }

    /** Whether there is more than one label per sample: one for each position, as it seems. */
    public boolean hasLabelsOfPositions() {
        return labels != null && labels.reader().shape().size() > 1;
    }

    /**
     * That there is but one label per sample is what the model wants.
     *
     * @param outputs how many outputs there are for labels to be targets of, else 1: as many labels look like weights
     */
    public UserException refusalOfPositions(String why, long outputs) {
        ArrayReader reader = labels.reader();
        boolean likeWeights = outputs > 1 && reader.elementsPerSample() == outputs;
        String mend = likeWeights
                ? "a number for each output is its weight: give --target weights, and save them as " + reader.name()
                        + ".astype(np.float32)"
                : labels.oneAxis();
        return named(
                file.path(),
                new UserException("array '" + reader.name() + "' has shape " + reader.shapeInWords() + ", but " + why
                        + "; " + mend));
    }

    /**
     * How many samples each cluster has. Reads the clusters on their own, whatever was read of the samples.
     *
     * @throws UserException if the array cannot be read
     */
    public SortedMap<Long, Long> clusterSizes() {
        SortedMap<Long, Long> sizes = new TreeMap<>();
        if (found != null) {
            for (long cluster : found) {
                sizes.merge(cluster, 1L, Long::sum);
            }
            return sizes;
        }
        if (clusters == null) {
            sizes.put(0L, samples());
            return sizes;
        }
        try (IntegerArray all = clusters(names.clusters())) {
            for (long left = samples(); left > 0; left -= CLUSTERS_AT_ONCE) {
                for (long cluster : all.next((int) Math.min(left, CLUSTERS_AT_ONCE))) {
                    sizes.merge(cluster, 1L, Long::sum);
                }
            }
        } catch (UserException e) {
            throw named(file.path(), e);
        } catch (IOException e) {
            throw unreadable(file.path(), e);
        }
        return sizes;
    }

    /** @throws UserException if a batch of so many samples does not fit into one buffer */
    public void checkBatchSize(int samples) {
        InputArray largest =
                batched().min(Comparator.comparing(InputArray::largestBatch)).orElseThrow();
        if (Math.min(samples, samples()) > largest.largestBatch()) {
            throw new UserException("a batch of " + samples + " samples (inputs " + largest.shapeInWords()
                    + ") takes more than 2 GiB; give --batch-size " + Math.max(1, largest.largestBatch()) + " or less");
        }
    }

    /** Lets so many batches be valid at a time, the newest included, by default 2; before the first of them. */
    public void keep(int batchesAtOnce) {
        batched().forEach(input -> input.keep(batchesAtOnce));
        if (weights != null) {
            weights.keep(batchesAtOnce);
        }
    }

    /** The next samples, at most {@code most}; null when all were read. */
    public Batch next(int most) {
        int samples = (int) Math.min(most, samples() - next);
        if (samples == 0) {
            return null;
        }
        try {
            List<Batch.Part> parts = new ArrayList<>();
            for (InputArray input : inputs) {
                parts.add(input.next(samples));
            }
            if (mask != null) {
                parts.add(mask.next(samples));
            }
            Batch.Part target = labels != null
                    ? labels.next(samples, names.labels())
                    : weights != null ? weights.next(samples) : null;
            long[] cluster = found != null
                    ? Arrays.copyOfRange(found, (int) next, (int) next + samples)
                    : clusters == null ? null : clusters.next(samples);
            List<Batch.Part> others = new ArrayList<>();
            for (InputArray input : corrupt) {
                others.add(input.next(samples));
            }
            Batch batch = new Batch(next, samples, parts, target, cluster, others);
            next += samples;
            return batch;
        } catch (UserException e) {
            throw named(file.path(), e);
        } catch (IOException e) {
            throw unreadable(file.path(), e);
        }
    }

    @Override
    public void close() throws IOException {
        for (Closeable array : new Closeable[] {labels, weights, mask, clusters}) {
            if (array != null) {
                array.close();
            }
        }
        for (InputArray input : inputs) {
            input.close();
        }
        for (InputArray input : corrupt) {
            input.close();
        }
        file.close();
    }

    /** All that is cut into batches and goes into the model, or beside it. */
    private Stream<InputArray> batched() {
        return Stream.of(inputs.stream(), Stream.ofNullable(mask), corrupt.stream())
                .flatMap(some -> some)
                .filter(input -> !input.isShared());
    }

    private void requireSamplesOfTheFirst(InputArray other) {
        InputArray first = inputs.get(0);
        if (other.samples() != first.samples()) {
            throw new UserException("array '" + other.reader().name() + "' has " + other.samples() + " samples (shape "
                    + other.shapeInWords() + "), but '" + first.reader().name() + "' has " + first.samples()
                    + " (shape "
                    + first.shapeInWords()
                    + "); save as many, or name an input that has no batch axis by --shared");
        }
    }

    private IntegerArray labels(ArrayNames names) throws IOException {
        boolean targetOnly = names.use() == ArrayNames.Labels.TARGETS;
        ArrayReader reader = array(names.labels(), "--labels", targetOnly ? ", or give --target predicted" : "");
        return new IntegerArray(
                reader, IntegerArray.LABELS, inputs.get(0), reader.type() == ElementType.TEXT ? labelNumbers() : null);
    }

    /** What labels that are text stand for: the outputs, in the order of their names. */
    private ToLongFunction<String> labelNumbers() throws IOException {
        List<String> known = names.labelNames();
        if (known.isEmpty() && file.holds(LABEL_NAMES)) {
            try (ArrayReader reader = file.open(LABEL_NAMES)) {
                if (reader.type() == ElementType.TEXT && reader.shape().size() == 1) {
                    known = reader.texts((int) Math.min(reader.elements(), Integer.MAX_VALUE));
                }
            }
        }
        if (known.isEmpty()) {
            throw new UserException(
                    "array '" + names.labels() + "' holds text, and nothing tells which output is which;"
                            + " give --label-names NAME,NAME,... in the order of the outputs, or save them as the array "
                            + LABEL_NAMES);
        }
        Map<String, Long> numbers = new LinkedHashMap<>();
        for (String name : known) {
            if (numbers.put(name, (long) numbers.size()) != null) {
                throw new UserException(
                        "the label names have '" + name + "' twice; give each output a name of its own");
            }
        }
        return label -> {
            Long number = numbers.get(label);
            if (number == null) {
                throw new UserException("array '" + names.labels() + "' has label '" + label
                        + "', which is none of the label names " + InputNames.listed(List.copyOf(numbers.keySet()))
                        + "; add it to them, or repair the labels");
            }
            return number;
        };
    }

    private InputArray weights(String name) throws IOException {
        ArrayReader reader = array(name, "--labels", ", or give another --target");
        if (reader.type().isInteger()) {
            throw new UserException("array '" + name + "' holds "
                    + reader.type().id() + ", but --target weights takes weights [samples, outputs]; name them by"
                    + " --labels, or save them as " + name + ".astype(np.float32)");
        }
        IntegerArray.requireSamplesOf(inputs.get(0), reader, "weights");
        return new InputArray(reader, name, false);
    }

    private IntegerArray clusters(String name) throws IOException {
        ClusterNames known = names.names();
        IntegerArray array = new IntegerArray(array(name, "--clusters", ""), "clusters", inputs.get(0), known::number)
                .requireOnePerSample("clusters");
        if (array.reader().type() != ElementType.TEXT && known.any()) {
            array.close();
            throw new UserException(
                    "array '" + name + "' holds numbers where the clusters of the other data have names;"
                            + " save both as names, or both as numbers");
        }
        return array;
    }

    /** Takes in what clusters are called, which the whole array tells. */
    private void readClusterNames(String name) throws IOException {
        try (ArrayReader reader = array(name, "--clusters", "")) {
            if (reader.type() != ElementType.TEXT) {
                return;
            }
            Set<String> found = new TreeSet<>();
            for (long left = reader.elements(); left > 0; left -= CLUSTERS_AT_ONCE) {
                found.addAll(reader.texts((int) Math.min(left, CLUSTERS_AT_ONCE)));
            }
            names.names().add(found);
        }
    }

    private ArrayReader array(String name, String option, String otherMend) throws IOException {
        if (file.holds(name)) {
            return file.open(name);
        }
        String missing = "there is no array '" + name + "'; it holds " + InputNames.listed(file.names()) + "; ";
        throw new UserException(missing
                + (file.isSingleArray()
                        ? "it is a single array (.npy): save inputs, labels and clusters together,"
                                + " np.savez('data.npz', x=x, y=y, cluster=cluster)"
                        : "choose one by " + option + " or save it with numpy.savez")
                + otherMend);
    }

    private static UserException named(Path path, UserException e) {
        return new UserException("data file " + path + ": " + e.getMessage(), e);
    }

    private static UserException unreadable(Path path, IOException e) {
        return new UserException("data file " + path + " cannot be read (" + e.getMessage() + "); check its disk", e);
    }

    private static void closeAfter(Closeable file, Exception e) {
        try {
            file.close();
        } catch (IOException closing) {
            e.addSuppressed(closing);
        }
    }
}
