package org.pregrad.cli.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayFileException;
import org.pregrad.data.ArrayReader;

/** Inputs, labels and clusters of a file, checked against each other and read batch by batch. */
public final class Dataset implements Closeable {
    private static final int CLUSTERS_AT_ONCE = 1 << 16;

    private final ArrayFile file;
    private final InputArray inputs;
    private final IntegerArray labels;
    private final IntegerArray clusters;
    private final ArrayNames read;
    private long next;

    private Dataset(ArrayFile file, ArrayNames names) throws IOException {
        this.file = file;
        this.inputs = new InputArray(array(names.inputs(), "--inputs", ""));
        this.labels = names.labels() == null ? null : labels(names);
        boolean clustered = names.clusters() != null && (names.clustersWanted() || file.holds(names.clusters()));
        this.clusters = clustered ? clusters(names.clusters()) : null;
        this.read = new ArrayNames(
                names.inputs(),
                names.labels(),
                clustered ? names.clusters() : null,
                names.clustersWanted(),
                names.targetOnly());
    }

    /**
     * @throws UserException if one of the arrays cannot be used
     * @throws ArrayFileException if the file cannot
     */
    public static Dataset open(Path path, ArrayNames names) {
        ArrayFile file = ArrayFile.open(path);
        try {
            return new Dataset(file, names);
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

    /** Number of samples. */
    public long samples() {
        return inputs.samples();
    }

    /** The arrays that are read; null for those that are not. */
    public ArrayNames read() {
        return read;
    }

    /** Type and shape of the inputs. */
    public ArrayReader inputs() {
        return inputs.reader();
    }

    /**
     * How many samples each cluster has. Reads the clusters on their own, whatever was read of the samples.
     *
     * @throws UserException if the array cannot be read
     */
    public SortedMap<Long, Long> clusterSizes() {
        SortedMap<Long, Long> sizes = new TreeMap<>();
        if (clusters == null) {
            sizes.put(0L, samples());
            return sizes;
        }
        try (IntegerArray all = clusters(read.clusters())) {
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
        if (Math.min(samples, samples()) > inputs.largestBatch()) {
            throw new UserException("a batch of " + samples + " samples (inputs " + inputs.shapeInWords()
                    + ") takes more than 2 GiB; give --batch-size " + Math.max(1, inputs.largestBatch()) + " or less");
        }
    }

    /** Lets so many batches be valid at a time, the newest included, by default 2; before the first of them. */
    public void keep(int batchesAtOnce) {
        inputs.keep(batchesAtOnce);
    }

    /** The next samples, at most {@code most}; null when all were read. */
    public Batch next(int most) {
        int samples = (int) Math.min(most, samples() - next);
        if (samples == 0) {
            return null;
        }
        try {
            Buffer values = inputs.next(samples);
            long[] label = labels == null ? null : labels.next(samples);
            long[] cluster = clusters == null ? null : clusters.next(samples);
            Batch batch = new Batch(next, values, inputs.shapeOf(samples), label, cluster);
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
        inputs.close();
        if (labels != null) {
            labels.close();
        }
        if (clusters != null) {
            clusters.close();
        }
        file.close();
    }

    private IntegerArray labels(ArrayNames names) throws IOException {
        return integers(names.labels(), "labels", "--labels", names.targetOnly() ? ", or give --target predicted" : "");
    }

    private IntegerArray clusters(String name) throws IOException {
        return integers(name, "clusters", "--clusters", "");
    }

    private IntegerArray integers(String name, String role, String option, String otherMend) throws IOException {
        return new IntegerArray(array(name, option, otherMend), role, inputs);
    }

    private ArrayReader array(String name, String option, String otherMend) throws IOException {
        if (file.holds(name)) {
            return file.open(name);
        }
        String missing = "there is no array '" + name + "'; it holds "
                + (file.names().isEmpty() ? "no arrays" : String.join(", ", file.names())) + "; ";
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

    private static void closeAfter(ArrayFile file, Exception e) {
        try {
            file.close();
        } catch (IOException closing) {
            e.addSuppressed(closing);
        }
    }
}
