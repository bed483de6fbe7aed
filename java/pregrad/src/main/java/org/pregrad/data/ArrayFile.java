package org.pregrad.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.Predicate;

/**
 * A file of named arrays, in any format that PreGrad reads; which one it is shows in the file's first bytes, whatever its
 * name.
 *
 * <p>It serves any number of threads at once; each of its readers serves one at a time. Close the readers first, then the
 * file.
 */
public abstract class ArrayFile implements Closeable {
    /** So many bytes tell any of the formats. */
    private static final int FRONT = 8;

    /** @param begins whether a file that begins with these bytes, at most {@link #FRONT}, is of this format */
    private record Format(Predicate<ByteBuffer> begins, Opening opening) {}

    private interface Opening {
        ArrayFile of(Path path, FileChannel channel) throws IOException;
    }

    /** All formats that are read: what their files begin with, and what opens them. */
    private static List<Format> formats() {
        return List.of(new Format(NpzFile::begins, NpzFile::new), new Format(NpyFile::begins, NpyFile::new));
    }

    private final Path path;
    private final FileChannel channel;

    ArrayFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * {@return the file, opened for reading; the caller closes it}
     *
     * @param path of the file
     * @throws ArrayFileException if it cannot be read, or is of no format that PreGrad reads
     */
    public static ArrayFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw new ArrayFileException("data " + path + " is a directory; give a .npz file");
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            ArrayFile file = format(path, channel).opening().of(path, channel);
            channel = null;
            return file;
        } catch (NoSuchFileException e) {
            throw new ArrayFileException("data file " + path + " does not exist; give the path of a .npz file", e);
        } catch (IOException e) {
            throw new ArrayFileException(
                    "data file " + path + " cannot be read (" + e.getMessage()
                            + "); check its permissions and its disk",
                    e);
        } catch (ArrayFileException e) {
            throw e.in(path);
        } finally {
            closeQuietly(channel);
        }
    }

    /** {@return the file's path, as it was given} */
    public final Path path() {
        return path;
    }

    /** {@return the names of the arrays, in the order of the file} */
    public abstract List<String> names();

    /** {@return whether the file's format holds one array alone, which has no name there and is called {@code x} here} */
    public boolean isSingleArray() {
        return false;
    }

    /**
     * {@return whether there is an array of that name}
     *
     * @param name of an array
     */
    public final boolean holds(String name) {
        return names().contains(name);
    }

    /**
     * {@return a reader of the array, at its first element; the caller closes it}
     *
     * @param name one of {@link #names}
     * @throws ArrayFileException if there is no such array, or it is none of numbers
     * @throws IOException if the file cannot be read any more
     */
    public final ArrayReader open(String name) throws IOException {
        try {
            if (!holds(name)) {
                throw new ArrayFileException("there is no array '" + name + "'; it holds "
                        + (names().isEmpty() ? "no arrays" : String.join(", ", names())) + "; open one of those");
            }
            return reader(name);
        } catch (ArrayFileException e) {
            throw e.in(path);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** A reader of an array that there is; what it throws does not name the file. */
    abstract ArrayReader reader(String name) throws IOException;

    final FileChannel channel() {
        return channel;
    }

    private static Format format(Path path, FileChannel channel) throws IOException {
        if (channel.size() == 0) {
            throw new ArrayFileException("the file is empty; save it with numpy.savez");
        }
        ByteBuffer front = FileBytes.read(channel, 0, (int) Math.min(FRONT, channel.size()));
        return formats().stream()
                .filter(format -> format.begins().test(front))
                .findFirst()
                .orElseThrow(() -> new ArrayFileException("the file is no .npz; save it with np.savez('"
                        + path.getFileName() + "', x=x, y=y, cluster=cluster)"));
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // The file was only read, and the reason it could not be used is already on its way to the user.
        }
    }
}
