package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.pregrad.cli.errors.UserException;

/** The files of a directory on disk. */
public record DirectoryFiles(Path directory) implements ReportFiles {
    /** @throws UserException if there is no such directory */
    public DirectoryFiles {
        if (!Files.isDirectory(directory)) {
            throw new UserException(
                    (Files.exists(directory) ? directory + " is a file" : "there is no directory " + directory)
                            + "; give --from the --out directory of pregrad attribute or ablate");
        }
    }

    @Override
    public Optional<Reader> open(String name) throws IOException {
        Path file = directory.resolve(name);
        return Files.exists(file)
                ? Optional.of(Files.newBufferedReader(file, StandardCharsets.UTF_8))
                : Optional.empty();
    }

    @Override
    public String shown(String name) {
        return directory.resolve(name).toString();
    }
}
