package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A JVM of its own, for what happens once per process. */
record Child(int status, List<String> out, String err) {
    static final String CLASS_PATH = System.getProperty("java.class.path");

    /** Runs the class on this JDK and waits until it ends. */
    static Child run(
            Path folder,
            Class<?> main,
            String classPath,
            List<String> options,
            Map<String, String> environment,
            String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xcheck:jni", "-cp", classPath));
        boolean decided = options.stream().anyMatch(option -> option.startsWith("--illegal-native-access"));
        if (Runtime.version().feature() >= 22 && !decided) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(options);
        command.add(main.getName());
        command.addAll(Arrays.asList(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().remove("OPENBLAS_THREAD_TIMEOUT");
        builder.environment().putAll(environment);
        int status = builder.start().waitFor();
        return new Child(status, Files.readAllLines(out), Files.readString(err));
    }

    /** This one, which must have ended well. */
    Child succeeded() {
        assertThat(status).as(err).isZero();
        return this;
    }
}
