package org.pregrad.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;
import java.util.UUID;
import org.pregrad.PreGradException;

/**
 * Unpacks libraries from the jar into a folder that only the user can read or write, once per content: the folder of a
 * library is named by its SHA-256, and a file appears in it whole or not at all.
 */
final class Cache {
    static final String PROPERTY = "pregrad.cache";
    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");

    private Cache() {}

    /**
     * The file of the library, unpacked if it was not yet.
     *
     * @param resource its path in the jar of this platform, which may be a module of its own
     */
    static Path unpack(String resource, String name) {
        Path root = root();
        try {
            byte[] content;
            try (InputStream in = Cache.class.getClassLoader().getResourceAsStream(resource)) {
                if (in == null) {
                    throw new PreGradException(
                            "no " + resource + " on the class path: add org.pregrad:pregrad with the "
                                    + "classifier of this platform (and --add-modules ALL-MODULE-PATH where modules are used), or "
                                    + "build PreGrad here and set " + Loader.PROPERTY + " to the folder with " + name);
                }
                content = in.readAllBytes();
            }
            Path folder = makePrivate(makePrivate(root).resolve(sha256(content)));
            Path file = folder.resolve(name);
            if (!holds(file, content)) {
                Path whole = Files.createTempFile(folder, name, ".part");
                try {
                    Files.write(whole, content);
                    Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                } finally {
                    Files.deleteIfExists(whole);
                }
            }
            return file;
        } catch (IOException e) {
            throw new PreGradException(
                    "cannot unpack " + name + " into '" + root + "' (" + e + "): set " + PROPERTY
                            + " to a folder that you can write",
                    e);
        }
    }

    /** The same library under a name of its own, to be deleted when it is loaded: the JVM gives a file to one class loader. */
    static Path another(Path library) {
        Path root = root();
        try {
            Path copy = makePrivate(root).resolve(UUID.randomUUID() + ".so");
            return Files.copy(library, copy);
        } catch (IOException e) {
            throw new PreGradException(
                    "cannot copy " + library.getFileName() + " into '" + root + "' (" + e + "): set " + PROPERTY
                            + " to a folder that you can write",
                    e);
        }
    }

    private static Path root() {
        String given = System.getProperty(PROPERTY);
        if (given != null) {
            return Path.of(given).toAbsolutePath();
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path caches = xdg != null && Path.of(xdg).isAbsolute()
                ? Path.of(xdg)
                : Path.of(System.getProperty("user.home"), ".cache");
        return caches.resolve("pregrad").resolve("native").toAbsolutePath();
    }

    /** Others must not be able to put a library there. */
    private static Path makePrivate(Path folder) throws IOException {
        Files.createDirectories(folder.getParent());
        try {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PRIVATE));
        } catch (java.nio.file.FileAlreadyExistsException e) {
            boolean ours = Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(self()));
            if (!ours || !Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                throw new PreGradException(
                        "'" + folder + "' is not a folder of this user, who is about to run code from "
                                + "it: remove it, or set " + PROPERTY + " to another folder",
                        e);
            }
            Files.setPosixFilePermissions(folder, PRIVATE);
        }
        return folder;
    }

    /** Belongs to whoever runs this process. */
    private static Path self() {
        return Path.of("/proc/self");
    }

    private static boolean holds(Path file, byte[] content) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                && Files.size(file) == content.length
                && Arrays.equals(Files.readAllBytes(file), content);
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
