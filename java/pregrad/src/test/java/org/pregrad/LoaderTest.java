package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading happens once per process, so each case is a process of its own. */
class LoaderTest {
    private static final int DENIES_NATIVE_ACCESS = 24;

    @TempDir
    private Path folder;

    /** What the process says: the library info, or the exception. */
    public static final class Main {
        private Main() {}

        public static void main(String[] arguments) {
            if (arguments.length > 0 && arguments[0].endsWith(".so")) {
                System.load(arguments[0]);
            } else if (arguments.length > 0) {
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

    @BeforeAll
    static void onlyWithPresets() {
        Presets.require();
    }

    private Child start(List<String> options, Map<String, String> environment, String... arguments) throws Exception {
        return start(Child.CLASS_PATH, options, environment, arguments);
    }

    private Child start(String classPath, List<String> options, Map<String, String> environment, String... arguments)
            throws Exception {
        return Child.run(folder, Main.class, classPath, options, environment, arguments)
                .succeeded();
    }

    /** What both tries said. */
    private static String line(Child child) {
        assertThat(child.out()).as(child.err()).hasSize(2);
        assertThat(child.out().get(1)).isEqualTo(child.out().get(0));
        return child.out().get(0);
    }

    private static String property(String name, Object value) {
        return "-D" + name + "=" + value;
    }

    @Test
    void theUserSetsNothing() throws Exception {
        Child outcome = start(List.of(), Map.of());
        assertThat(line(outcome))
                .contains("version=" + PreGrad.version() + ",")
                .contains("libtorchVersion=2.")
                .contains("openblas=OPENBLAS_THREAD_TIMEOUT=4 (set by PreGrad), on LibTorch's threads");
        assertThat(outcome.err()).as("no warning of anybody").isEmpty();
    }

    @Test
    void whatTheUserSetsStays() throws Exception {
        assertThat(line(start(List.of(), Map.of("OPENBLAS_THREAD_TIMEOUT", "26"))))
                .contains("openblas=OPENBLAS_THREAD_TIMEOUT=26 (set by the user)")
                .doesNotContain("on LibTorch's threads");
    }

    @Test
    void anOpenBlasThatWasThereBeforeIsReported() throws Exception {
        Child outcome = start(List.of(), Map.of(), "openblas first");
        assertThat(line(outcome)).contains("OpenBLAS was loaded before PreGrad");
        assertThat(line(outcome)).contains("on LibTorch's threads");
        assertThat(outcome.err()).doesNotContain("its threads may slow");
    }

    @Test
    void theCacheIsTheUsersAlone() throws Exception {
        Path cache = folder.resolve("cache");
        assertThat(line(start(List.of(property("pregrad.cache", cache)), Map.of())))
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
        assertThat(line(start(List.of(property("pregrad.cache", cache)), Map.of())))
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
        assertThat(line(start(List.of(property("pregrad.cache", file)), Map.of())))
                .startsWith("PreGradException: '" + file + "' is not a folder of this user")
                .contains("set pregrad.cache to another folder");
        assertThat(line(start(List.of(property("pregrad.cache", file.resolve("below"))), Map.of())))
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
        assertThat(line(start(List.of(property("pregrad.library", libraries)), Map.of())))
                .contains("library=" + libraries.resolve("libpregrad.so"));
        Files.write(libraries.resolve("libpregrad.so"), new byte[] {1, 2, 3});
        assertThat(line(start(List.of(property("pregrad.library", libraries)), Map.of())))
                .startsWith("PreGradException: cannot load '" + libraries.resolve("libpregrad.so") + "'")
                .contains("build PreGrad for this machine and its LibTorch");
        Files.delete(libraries.resolve("libpregrad.so"));
        assertThat(line(start(List.of(property("pregrad.library", libraries)), Map.of())))
                .isEqualTo("PreGradException: no libpregrad.so in '" + libraries
                        + "': set pregrad.library to the folder of PreGrad's native libraries, or do not set it");
    }

    @Test
    void aLibTorchForCudaIsUnpackedBeforeAnyOfItIsLoaded() throws Exception {
        // Of no use themselves: in the end the one for processors is taken.
        List<String> libraries = List.of(
                "libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch_cuda_linalg.so");
        Path jar = folder.resolve("pytorch-linux-x86_64-gpu.jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            for (String library : libraries) {
                entries.putNextEntry(new ZipEntry("org/bytedeco/pytorch/linux-x86_64-gpu/" + library));
                entries.write(1);
            }
        }
        Child outcome = start(
                without("pytorch-[^/]*-gpu") + File.pathSeparator + jar,
                List.of(
                        property("org.bytedeco.javacpp.cachedir", folder.resolve("cache")),
                        property("org.bytedeco.javacpp.logger.debug", true)),
                Map.of());
        List<String> steps = outcome.err()
                .lines()
                .filter(line -> line.matches("Debug: (Extracting|Loading) .*-gpu/.*"))
                .map(line -> line.contains("Loading") ? "Loading" : "Extracting")
                .toList();
        assertThat(steps).contains("Loading");
        assertThat(steps.subList(0, steps.indexOf("Loading")))
                .hasSameSizeAs(libraries)
                .containsOnly("Extracting");
        assertThat(steps.subList(libraries.size(), steps.size())).containsOnly("Loading");
    }

    @Test
    void aFolderWithoutLibTorch() throws Exception {
        assertThat(line(start(List.of(property("pregrad.libtorch", folder)), Map.of())))
                .isEqualTo("PreGradException: no libtorch_cpu.so in '" + folder
                        + "' or its lib/: set pregrad.libtorch to the folder of a LibTorch, or do not set it");
    }

    /** A library of that name, whose content nobody looks at. */
    private Path otherLibrary(String name) throws Exception {
        Path cache = folder.resolve("cache");
        start(List.of(property("pregrad.cache", cache)), Map.of());
        Path boot = files(cache).stream()
                .filter(file -> file.endsWith("libpregrad_boot.so"))
                .findFirst()
                .orElseThrow();
        return Files.copy(boot, Files.createDirectory(folder.resolve("other")).resolve(name));
    }

    @Test
    void anotherLibTorchIsInTheProcess() throws Exception {
        Path other = otherLibrary("libtorch_cpu.so");
        assertThat(line(start(List.of(), Map.of(), other.toString())))
                .startsWith("PreGradException: another LibTorch is in this process already: '" + other
                        + "' is loaded, and PreGrad would load '")
                .containsPattern("would load '/[^']*/libtorch_cpu\\.so'")
                .contains("set pregrad.libtorch to '" + other.getParent() + "'");
    }

    @Test
    void anotherPreGradIsInTheProcess() throws Exception {
        Path other = otherLibrary("libpregrad.so");
        assertThat(line(start(List.of(), Map.of(), other.toString())))
                .startsWith("PreGradException: another PreGrad is in this process already: '" + other + "' is loaded")
                .containsPattern("and this is '/[^']*/libpregrad\\.so'")
                .contains("use one build of PreGrad in all class loaders");
    }

    @Test
    void nativeAccessIsDenied() throws Exception {
        assumeThat(Runtime.version().feature()).isGreaterThanOrEqualTo(DENIES_NATIVE_ACCESS);
        assertThat(line(start(List.of("--illegal-native-access=deny"), Map.of())))
                .startsWith("PreGradException: this JVM denies native code to PreGrad (")
                .endsWith("): start it with --enable-native-access=ALL-UNNAMED");
    }

    @Test
    void noPresets() throws Exception {
        assertThat(line(start(without("pytorch-"), List.of(), Map.of())))
                .startsWith("PreGradException: the JavaCPP presets of PyTorch are not on the class path: add");
    }

    @Test
    void noBinariesOfThePresets() throws Exception {
        assertThat(line(start(without("pytorch-[^/]*linux"), List.of(), Map.of())))
                .startsWith("PreGradException: cannot load LibTorch");
    }

    @Test
    void noLibraryForThisPlatform() throws Exception {
        String classes = Arrays.stream(Child.CLASS_PATH.split(File.pathSeparator))
                .filter(entry -> Files.notExists(Path.of(entry, "org", "pregrad", "native")))
                .collect(Collectors.joining(File.pathSeparator));
        assertThat(line(start(classes, List.of(), Map.of())))
                .startsWith(
                        "PreGradException: no org/pregrad/native/linux-x86_64/libpregrad_boot.so on the class path: "
                                + "add org.pregrad:pregrad with the classifier of this platform");
    }

    private static String without(String jar) {
        return Arrays.stream(Child.CLASS_PATH.split(File.pathSeparator))
                .filter(entry -> !entry.matches(".*/" + jar + "[^/]*\\.jar"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Test
    void classesAndLibraryOfDifferentVersions() throws Exception {
        Path other = Files.createDirectories(folder.resolve("org/pregrad"));
        Files.writeString(other.resolve("version.properties"), "version=9.9.9\n");
        assertThat(line(start(folder + File.pathSeparator + Child.CLASS_PATH, List.of(), Map.of())))
                .startsWith("PreGradException: the classes are PreGrad 9.9.9 but '")
                .contains("' is PreGrad " + PreGrad.version() + ": use both from one build");
    }
}
