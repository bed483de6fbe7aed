package org.pregrad.internal;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import org.pregrad.ModelException;

/** Text in the form that native code reads. */
public final class Text {
    private Text() {}

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static String of(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /** The bytes by which the operating system knows the file. */
    public static byte[] path(Path file) {
        if (file.getFileSystem() != FileSystems.getDefault()) {
            throw new ModelException("'" + file + "' is not in the default file system: copy it to a folder first");
        }
        // The encoding in which the JVM itself hands names to the operating system; only this property tells it.
        return file.toString().getBytes(Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
    }
}
