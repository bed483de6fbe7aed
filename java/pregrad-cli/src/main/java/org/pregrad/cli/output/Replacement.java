package org.pregrad.cli.output;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Replaces files of a directory so that at no instant old and new ones stand side by side: the old ones are moved away
 * first, and moved back if a new one cannot take its place. Other files of the directory stay.
 */
final class Replacement {
    private final Path target;
    private final Path staging;
    private final List<String> names;
    private final List<Path[]> done = new ArrayList<>();

    Replacement(Path target, Path staging, List<String> names) {
        this.target = target;
        this.staging = staging;
        this.names = names;
    }

    void run() throws IOException {
        try {
            Path before = FileTree.createHidden(staging);
            for (String name : names) {
                if (Files.exists(target.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
                    move(target.resolve(name), before.resolve(name));
                }
            }
            for (String name : names) {
                move(staging.resolve(name), target.resolve(name));
            }
        } catch (IOException e) {
            undo(e);
            throw e;
        }
    }

    private void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        done.add(new Path[] {from, to});
    }

    private void undo(IOException reason) {
        for (int i = done.size() - 1; i >= 0; i--) {
            try {
                Files.move(done.get(i)[1], done.get(i)[0], StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                reason.addSuppressed(e);
            }
        }
    }
}
