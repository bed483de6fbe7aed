package org.pregrad.cli.npz;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.pregrad.cli.errors.UserException;

/** A data set as NumPy's {@code savez} and {@code savez_compressed} write it. */
public final class NpzFile implements Closeable {
    private static final String SUFFIX = ".npy";
    private static final int ZIP_START = 0x04034b50;
    private static final int EMPTY_ZIP_START = 0x06054b50;
    private static final int NPY_START = 0x4d554e93;

    private final Path path;
    private final FileChannel channel;
    private final Map<String, ZipEntry> entries;

    private NpzFile(Path path, FileChannel channel, Map<String, ZipEntry> entries) {
        this.path = path;
        this.channel = channel;
        this.entries = entries;
    }

    /** @throws UserException if the file cannot be read or is no .npz */
    public static NpzFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw new UserException("data " + path + " is a directory; give a .npz file");
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            checkStart(path, channel);
            NpzFile file = new NpzFile(path, channel, ZipDirectory.read(channel));
            channel = null;
            return file;
        } catch (NoSuchFileException e) {
            throw new UserException("data file " + path + " does not exist; give the path of a .npz file", e);
        } catch (IOException e) {
            throw new UserException(
                    "data file " + path + " cannot be read (" + e.getMessage()
                            + "); check its permissions and its disk",
                    e);
        } catch (UserException e) {
            throw named(path, e);
        } finally {
            closeQuietly(channel);
        }
    }

    /** The file's path, as it was given. */
    public Path path() {
        return path;
    }

    /** The arrays' names. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (String name : entries.keySet()) {
            if (name.endsWith(SUFFIX)) {
                names.add(name.substring(0, name.length() - SUFFIX.length()));
            }
        }
        return names;
    }

    /** Whether there is an array of that name. */
    public boolean holds(String name) {
        return entries.containsKey(name + SUFFIX);
    }

    /**
     * The array of that name.
     *
     * @throws UserException if it is no array of numbers; the message does not name the file
     * @throws IllegalArgumentException if there is none
     */
    public NpyReader read(String name) throws IOException {
        ZipEntry entry = entries.get(name + SUFFIX);
        if (entry == null) {
            throw new IllegalArgumentException("no array " + name + " in " + path);
        }
        return new NpyReader(name, EntryReader.open(channel, entry));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static void checkStart(Path path, FileChannel channel) throws IOException {
        if (channel.size() == 0) {
            throw new UserException("the file is empty; save it with numpy.savez");
        }
        int start = channel.size() < Integer.BYTES
                ? 0
                : FileBytes.read(channel, 0, Integer.BYTES).getInt();
        if (start == NPY_START) {
            throw new UserException("the file is a single array (.npy); save inputs, labels and clusters together:"
                    + " np.savez('data.npz', x=x, y=y, cluster=cluster)");
        }
        if (start != ZIP_START && start != EMPTY_ZIP_START) {
            throw new UserException("the file is no .npz; save it with np.savez('" + path.getFileName()
                    + "', x=x, y=y, cluster=cluster)");
        }
    }

    private static UserException named(Path path, UserException e) {
        return new UserException("data file " + path + ": " + e.getMessage(), e);
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
