package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading happens once per process, so each case is a process of its own. */
class LoaderTest {
    @TempDir
    private Path folder;

    /** What the process says: the library info, or the exception. */
    public static final class Main {
        private Main() {}

        public static void main(String[] arguments) {
            if (arguments.length > 0) {
                org.bytedeco.javacpp.Loader.load(org.bytedeco.openblas.global.openblas.class);
            }
            for (int i = 0; i < 2; i++) {
                try {
                    System.out.println(PreGrad.libraryInfo());
                } catch (PreGradException e) {
                    System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
                }
            }
        }
    }

    private record Outcome(List<String> out, String err) {
        /** What both tries said. */
        String line() {
            assertThat(out).as(err).hasSize(2);
            assertThat(out.get(1)).isEqualTo(out.get(0));
            return out.get(0);
        }
    }

    private Outcome start(List<String> options, Map<String, String> environment, String... arguments) throws Exception {
        return start(System.getProperty("java.class.path"), options, environment, arguments);
    }

    private Outcome start(String classPath, List<String> options, Map<String, String> environment, String... arguments)
            throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xcheck:jni", "-cp", classPath));
        command.addAll(options);
        command.add(Main.class.getName());
        command.addAll(Arrays.asList(arguments));
        File out = folder.resolve("out").toFile();
        File err = folder.resolve("err").toFile();
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out).redirectError(err);
        builder.environment().remove("OPENBLAS_THREAD_TIMEOUT");
        builder.environment().putAll(environment);
        int code = builder.start().waitFor();
        String errors = Files.readString(err.toPath(), StandardCharsets.UTF_8);
        assertThat(code).as(errors).isZero();
        return new Outcome(Files.readAllLines(out.toPath()), errors);
    }

    private static String property(String name, Object value) {
        return "-D" + name + "=" + value;
    }

    @Test
    void theUserSetsNothing() throws Exception {
        Outcome outcome = start(List.of(), Map.of());
        assertThat(outcome.line())
                .contains("version=" + PreGrad.version() + ",")
                .contains("libtorchVersion=2.")
                .contains("openblas=OPENBLAS_THREAD_TIMEOUT=4 (set by PreGrad)");
        assertThat(outcome.err()).as("no warning of anybody").isEmpty();
    }

    @Test
    void whatTheUserSetsStays() throws Exception {
        assertThat(start(List.of(), Map.of("OPENBLAS_THREAD_TIMEOUT", "26")).line())
                .contains("openblas=OPENBLAS_THREAD_TIMEOUT=26 (set by the user)");
    }

    @Test
    void anOpenBlasThatWasThereBeforeIsReported() throws Exception {
        Outcome outcome = start(List.of(), Map.of(), "openblas first");
        assertThat(outcome.line()).contains("OpenBLAS was loaded before PreGrad");
        assertThat(outcome.err()).containsOnlyOnce("OpenBLAS was loaded before PreGrad, so its threads may slow");
    }

    @Test
    void theCacheIsTheUsersAlone() throws Exception {
        Path cache = folder.resolve("cache");
        assertThat(start(List.of(property("pregrad.cache", cache)), Map.of()).line())
                .contains(cache.toString());
        List<Path> unpacked = files(cache);
        assertThat(unpacked).hasSize(2);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
                .isEqualTo("rwx------");
        for (Path file : unpacked) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
                    .isEqualTo("rwx------");
        }
        long modified = Files.getLastModifiedTime(unpacked.get(0)).toMillis();
        Files.write(unpacked.get(1), new byte[] {1, 2, 3});
        assertThat(start(List.of(property("pregrad.cache", cache)), Map.of()).line())
                .startsWith("LibraryInfo");
        assertThat(Files.getLastModifiedTime(unpacked.get(0)).toMillis()).isEqualTo(modified);
        assertThat(Files.size(unpacked.get(1))).isGreaterThan(3);
        assertThat(files(cache)).as("nothing is left behind").hasSize(2);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).sorted().collect(Collectors.toList());
        }
    }

    @Test
    void aCacheThatCannotBeWritten() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertThat(start(List.of(property("pregrad.cache", file)), Map.of()).line())
                .startsWith("PreGradException: '" + file + "' is not a folder of this user")
                .contains("set pregrad.cache to another folder");
        assertThat(start(List.of(property("pregrad.cache", file.resolve("below"))), Map.of())
                        .line())
                .startsWith("PreGradException: cannot unpack libpregrad_boot.so into")
                .contains("set pregrad.cache to a folder that you can write");
    }

    @Test
    void aFolderOfLibraries() throws Exception {
        Path cache = folder.resolve("cache");
        start(List.of(property("pregrad.cache", cache)), Map.of());
        Path libraries = Files.createDirectory(folder.resolve("libraries"));
        for (Path file : files(cache)) {
            Files.copy(file, libraries.resolve(file.getFileName()));
        }
        assertThat(start(List.of(property("pregrad.library", libraries)), Map.of())
                        .line())
                .contains("library=" + libraries.resolve("libpregrad.so"));
        Files.write(libraries.resolve("libpregrad.so"), new byte[] {1, 2, 3});
        assertThat(start(List.of(property("pregrad.library", libraries)), Map.of())
                        .line())
                .startsWith("PreGradException: cannot load '" + libraries.resolve("libpregrad.so") + "'")
                .contains("build PreGrad for this machine and its LibTorch");
        Files.delete(libraries.resolve("libpregrad.so"));
        assertThat(start(List.of(property("pregrad.library", libraries)), Map.of())
                        .line())
                .isEqualTo("PreGradException: no libpregrad.so in '" + libraries
                        + "': set pregrad.library to the folder of PreGrad's native libraries, or do not set it");
    }

    @Test
    void aFolderWithoutLibTorch() throws Exception {
        assertThat(start(List.of(property("pregrad.libtorch", folder)), Map.of())
                        .line())
                .isEqualTo("PreGradException: no libtorch_cpu.so in '" + folder
                        + "' or its lib/: set pregrad.libtorch to the folder of a LibTorch, or do not set it");
    }

    @Test
    void noPresets() throws Exception {
        assertThat(start(without("pytorch-"), List.of(), Map.of()).line())
                .startsWith("PreGradException: the JavaCPP presets of PyTorch are not on the class path: add");
    }

    @Test
    void noBinariesOfThePresets() throws Exception {
        assertThat(start(without("pytorch-[^/]*linux"), List.of(), Map.of()).line())
                .startsWith("PreGradException: cannot load LibTorch");
    }

    private static String without(String jar) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.matches(".*/" + jar + "[^/]*\\.jar"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Test
    void classesAndLibraryOfDifferentVersions() throws Exception {
        Path other = Files.createDirectories(folder.resolve("org/pregrad"));
        Files.writeString(other.resolve("version.properties"), "version=9.9.9\n");
        assertThat(start(folder + File.pathSeparator + System.getProperty("java.class.path"), List.of(), Map.of())
                        .line())
                .startsWith("PreGradException: the classes are PreGrad 9.9.9 but '")
                .contains("' is PreGrad " + PreGrad.version() + ": use both from one build");
    }
}
