package org.pregrad.cli.output;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.pregrad.cli.errors.UserException;

/**
 * A file as a summary names it.
 *
 * @param file   as the user wrote it
 * @param bytes  its size
 * @param sha256 of its bytes, in hexadecimal
 */
public record FileDigest(String file, long bytes, String sha256) {
    static final int SHA256_BYTES = 32;

    private static final int CHUNK = 1 << 16;

    /** @throws UserException if it cannot be read */
    public static FileDigest of(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = newDigest();
            DigestInputStream reading = new DigestInputStream(in, digest);
            byte[] chunk = new byte[CHUNK];
            long bytes = 0;
            for (int read = reading.read(chunk); read >= 0; read = reading.read(chunk)) {
                bytes += read;
            }
            return new FileDigest(file.toString(), bytes, HexFormat.of().formatHex(digest.digest()));
        } catch (IOException e) {
            throw new UserException("file " + file + " cannot be read (" + e.getMessage() + "); check its disk", e);
        }
    }

    static byte[] sha256(byte[] bytes) {
        return newDigest().digest(bytes);
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
