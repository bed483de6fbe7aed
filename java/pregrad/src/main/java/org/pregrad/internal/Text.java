package org.pregrad.internal;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.pregrad.ArgumentException;
import org.pregrad.ModelException;

/** Text in the form that native code reads. */
public final class Text {
    private Text() {}

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Names with a NUL, which no name holds, behind each. */
    public static byte[] terminated(List<String> names) {
        names.stream().filter(name -> name.indexOf('\0') >= 0).findFirst().ifPresent(name -> {
            throw new ArgumentException("the name '" + name + "' holds a NUL, and no name may: give another");
        });
        return utf8(names.stream().map(name -> name + "\0").collect(Collectors.joining()));
    }

    /** The names that {@link #terminated} joined. */
    public static List<String> names(byte[] terminated) {
        String[] names = of(terminated).split("\0", -1);
        return List.of(names).subList(0, names.length - 1);
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
