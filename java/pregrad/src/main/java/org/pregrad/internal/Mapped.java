package org.pregrad.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Libraries that are in this process already, whoever loaded them. */
final class Mapped {
    private static final String DELETED = " (deleted)";

    private Mapped() {}

    /** The file of a library of that name, if one is there. */
    static Optional<Path> file(String name) {
        return first(file -> file.equals(name));
    }

    /** Whether a library is there whose name begins so. */
    static boolean isLoaded(String prefix) {
        return first(file -> file.startsWith(prefix)).isPresent();
    }

    /** Whether two names are of one file, which may have been deleted since it was loaded. */
    static boolean isSame(Path one, Path other) {
        try {
            return one.toAbsolutePath().equals(other.toAbsolutePath()) || Files.isSameFile(one, other);
        } catch (IOException e) {
            return false;
        }
    }

    private static Optional<Path> first(Predicate<String> isWanted) {
        // Elsewhere than on Linux nobody tells.
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.indexOf('/') >= 0)
                    .map(line -> line.substring(line.indexOf('/')))
                    .map(file -> file.endsWith(DELETED) ? file.substring(0, file.length() - DELETED.length()) : file)
                    .filter(file -> isWanted.test(file.substring(file.lastIndexOf('/') + 1)))
                    .findFirst()
                    .map(Path::of);
        } catch (IOException | java.io.UncheckedIOException e) {
            return Optional.empty();
        }
    }
}
