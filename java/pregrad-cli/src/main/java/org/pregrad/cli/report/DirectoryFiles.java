package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.pregrad.cli.errors.UserException;

/** The files of a directory that a run left. */
public record DirectoryFiles(Path directory) {
    /** @throws UserException if there is no such directory */
    public DirectoryFiles {
        if (!Files.isDirectory(directory)) {
            throw new UserException(
                    (Files.exists(directory) ? directory + " is a file" : "there is no directory " + directory)
                            + "; give --from the --out directory of pregrad attribute or ablate");
        }
    }

    Source source(String name) {
        return new Source(directory.resolve(name));
    }

    /** One of the files, and how its errors are told. */
    record Source(Path file) {
        /** Makes something of a text. */
        interface Parser<T> {
            T parse(Reader text) throws IOException;
        }

        boolean exists() {
            return Files.exists(file);
        }

        /** @throws UserException if the file is missing or cannot be read */
        <T> T read(Parser<T> parser) {
            if (!Files.exists(file)) {
                throw new UserException(
                        "there is no " + file + "; give --from the --out directory of pregrad attribute or ablate");
            }
            try (Reader text = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                return parser.parse(text);
            } catch (CharacterCodingException e) {
                throw damaged("it is not UTF-8 text");
            } catch (IOException e) {
                throw new UserException(
                        file + " cannot be read (" + e.getMessage() + "); check the file and its disk", e);
            }
        }

        UserException damaged(String what) {
            return new UserException(
                    file + " is damaged: " + what + "; run the command that wrote it again (summary.json names it)");
        }
    }
}
