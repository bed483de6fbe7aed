package org.pregrad.cli.report;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.util.Optional;
import org.pregrad.cli.errors.UserException;

/** One of the texts, and how its errors are told. */
record Source(ReportFiles files, String name) {
    /** Makes something of a text. */
    interface Parser<T> {
        T parse(Reader text) throws IOException;
    }

    /** @throws UserException if the file is missing or cannot be read */
    <T> T read(Parser<T> parser) {
        return readIfThere(parser).orElseThrow(this::missing);
    }

    /** @throws UserException if the file cannot be read */
    <T> Optional<T> readIfThere(Parser<T> parser) {
        try {
            Optional<Reader> text = files.open(name);
            if (text.isEmpty()) {
                return Optional.empty();
            }
            try (Reader open = text.get()) {
                return Optional.of(parser.parse(open));
            }
        } catch (CharacterCodingException e) {
            throw damaged("it is not UTF-8 text");
        } catch (IOException e) {
            throw new UserException(
                    shown() + " cannot be read (" + e.getMessage() + "); check the file and its disk", e);
        }
    }

    UserException damaged(String what) {
        return new UserException(
                shown() + " is damaged: " + what + "; run the command that wrote it again (summary.json names it)");
    }

    private UserException missing() {
        return new UserException(
                "there is no " + shown() + "; give --from the --out directory of pregrad attribute or ablate");
    }

    private String shown() {
        return files.shown(name);
    }
}
