package org.pregrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A container gives each application a class loader of its own, and drops it when the application goes. */
class ClassLoadersTest {
    private static final String MODEL =
            Fixtures.file("digits-mlp.scripted.pt").toAbsolutePath().toString();

    @TempDir
    private Path folder;

    /** Applications one after the other, or side by side; the class loader of this class does not see PreGrad. */
    public static final class Main {
        /** A thread that was interrupted needs a moment to end; one that holds the class loader never does. */
        private static final int TRIES = 100;

        private static final int PAUSE_MS = 100;
        private static final int DEPLOYMENTS = 3;

        private Main() {}

        public static void main(String[] arguments) throws Exception {
            URL[] classPath = urls(arguments[1]);
            if (arguments[2].equals("side by side")) {
                List<Application> applications = List.of(new Application(classPath), new Application(classPath));
                for (Application application : applications) {
                    application.use(arguments[0]);
                }
                applications.get(0).close();
                applications.get(1).use(arguments[0]);
                applications.get(1).close();
            } else {
                int deployments = arguments.length > 3 ? Integer.parseInt(arguments[3]) : DEPLOYMENTS;
                for (int i = 0; i < deployments; i++) {
                    ReferenceQueue<ClassLoader> collected = new ReferenceQueue<>();
                    WeakReference<ClassLoader> loader = deploy(classPath, arguments[0], collected);
                    for (int tries = 0; tries < TRIES && loader.get() != null; tries++) {
                        System.gc();
                        collected.remove(PAUSE_MS);
                    }
                    System.out.println("collected " + (loader.get() == null));
                }
            }
        }

        private static WeakReference<ClassLoader> deploy(
                URL[] classPath, String model, ReferenceQueue<ClassLoader> collected) throws Exception {
            Application application = new Application(classPath);
            application.use(model);
            application.close();
            return new WeakReference<>(application.loader(), collected);
        }

        private static URL[] urls(String classPath) throws MalformedURLException {
            List<URL> urls = new ArrayList<>();
            for (String entry : classPath.split(File.pathSeparator, -1)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            return urls.toArray(new URL[0]);
        }
    }

    /** Uses PreGrad by reflection. */
    private record Application(URLClassLoader loader) {
        Application(URL[] classPath) {
            this(new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader()));
        }

        void use(String model) throws Exception {
            loader.loadClass("org.pregrad.ClassLoadersTest$Use")
                    .getMethod("run", String.class)
                    .invoke(null, model);
        }

        void close() throws Exception {
            loader.loadClass("org.pregrad.PreGrad").getMethod("release").invoke(null);
            loader.close();
        }
    }

    /** What an application does; each class loader has a class of its own. */
    public static final class Use {
        private Use() {}

        public static void run(String path) {
            try (Model model = Model.load(Path.of(path));
                    Attribution attribution = model.attribution().layers("act1").open()) {
                attribution.add(Input.of(new float[64], 1, 64), new long[] {3});
                System.out.println("count " + attribution.scores().all().get(0).count());
                model.attribution().layers("no such layer").open();
            } catch (LayerException e) {
                System.out.println("refused " + e.getMessage().contains("no such layer"));
            }
        }
    }

    @BeforeAll
    static void onlyWithPresets() {
        Presets.require();
    }

    /** PreGrad only where applications have it. */
    private Child run(String how) throws Exception {
        Path main = folder.resolve("main");
        for (String name : List.of("ClassLoadersTest$Main", "ClassLoadersTest$Application")) {
            Path file = main.resolve("org/pregrad/" + name + ".class");
            Files.createDirectories(file.getParent());
            Files.copy(classFile(name), file);
        }
        return Child.run(folder, Main.class, main.toString(), List.of(), Map.of(), MODEL, Child.CLASS_PATH, how)
                .succeeded();
    }

    private static Path classFile(String name) {
        return Arrays.stream(Child.CLASS_PATH.split(File.pathSeparator))
                .map(entry -> Path.of(entry, "org", "pregrad", name + ".class"))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void applicationsSideBySideShareTheLibrary() throws Exception {
        assertThat(run("side by side").out())
                .containsExactly("count 1", "refused true", "count 1", "refused true", "count 1", "refused true");
    }

    @Test
    void anApplicationThatIsGoneIsCollected() throws Exception {
        Child child = run("one after the other");
        assertThat(child.out().stream().collect(Collectors.groupingBy(line -> line, Collectors.counting())))
                .isEqualTo(Map.of("count 1", 3L, "refused true", 3L, "collected true", 3L));
        assertThat(child.err()).isEmpty();
    }
}
