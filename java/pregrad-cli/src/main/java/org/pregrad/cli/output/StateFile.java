package org.pregrad.cli.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** What one part of an unfinished run has reached, in a file that is whole or not there. */
public final class StateFile {
    private static final byte[] MAGIC = {'P', 'G', 'r', 'a', 'd', 'S', 't', '1'};
    private static final int FRONT = MAGIC.length + FileDigest.SHA256_BYTES + Long.BYTES + 1;

    private final OutputDirectory directory;
    private final Path path;
    private final byte[] key;

    StateFile(OutputDirectory directory, Path path, byte[] key) {
        this.directory = directory;
        this.path = path;
        this.key = key;
    }

    /**
     * What was kept.
     *
     * @param batches  how many batches it has seen
     * @param finished whether these were all
     * @param state    of what they were added to
     */
    // Nobody compares states, and a copy may be large.
    @SuppressWarnings("ArrayRecordComponent")
    public record Saved(long batches, boolean finished, byte[] state) {}

    /**
     * What was kept, if anything was.
     *
     * @throws Damaged if it is not what was written for this run
     */
    public Optional<Saved> read() {
        try {
            return Optional.of(parse(Files.readAllBytes(path)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new Damaged(path, e);
        }
    }

    /** Keeps this instead of what was kept before. */
    public void write(Saved saved) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.addExact(FRONT + FileDigest.SHA256_BYTES, saved.state().length))
                .put(MAGIC)
                .put(key)
                .putLong(saved.batches())
                .put((byte) (saved.finished() ? 1 : 0))
                .put(saved.state());
        bytes.put(FileDigest.sha256(Arrays.copyOf(bytes.array(), bytes.position())));
        try {
            FileTree.writeAtomically(path, bytes.array());
        } catch (IOException e) {
            throw directory.failure(e);
        }
    }

    /** What was kept cannot be gone on with, though its bytes are as they were written. */
    public Damaged unusable(Exception reason) {
        return new Damaged(path, reason);
    }

    private Saved parse(byte[] bytes) {
        int end = bytes.length - FileDigest.SHA256_BYTES;
        boolean whole = end >= FRONT
                && Arrays.equals(
                        FileDigest.sha256(Arrays.copyOf(bytes, end)),
                        0,
                        FileDigest.SHA256_BYTES,
                        bytes,
                        end,
                        bytes.length)
                && Arrays.equals(MAGIC, 0, MAGIC.length, bytes, 0, MAGIC.length)
                && Arrays.equals(
                        key, 0, FileDigest.SHA256_BYTES, bytes, MAGIC.length, MAGIC.length + FileDigest.SHA256_BYTES);
        if (!whole) {
            throw new Damaged(path, null);
        }
        ByteBuffer front = ByteBuffer.wrap(bytes, MAGIC.length + FileDigest.SHA256_BYTES, Long.BYTES + 1);
        return new Saved(front.getLong(), front.get() == 1, Arrays.copyOfRange(bytes, FRONT, end));
    }

    /** What an unfinished run left cannot be trusted. */
    public static final class Damaged extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Damaged(Path file, Exception cause) {
            super("the saved state " + file + " is damaged", cause);
        }
    }
}
