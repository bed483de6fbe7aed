package org.pregrad.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Properties;
import org.pregrad.PreGradException;

/**
 * Loads the native libraries, once: first libpregrad_boot.so, which sets the environment that OpenBLAS reads, then
 * LibTorch, then libpregrad.so, which finds LibTorch by its names because it is loaded already.
 */
public final class Loader {
    /** The system property with the folder of PreGrad's own libraries. */
    static final String PROPERTY = "pregrad.library";

    private static boolean loaded;
    private static PreGradException failure;
    private static volatile Path library;

    private Loader() {}

    /** Loads what is not loaded yet. */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        if (failure != null) {
            throw new PreGradException(failure.getMessage(), failure);
        }
        try {
            system(file("libpregrad_boot.so"));
            OpenBlas.prepare();
            LibTorch.load();
            library = file("libpregrad.so");
            system(library);
            shakeHands();
            OpenBlas.join();
            prepareExit();
            loaded = true;
        } catch (PreGradException e) {
            failure = e;
            throw e;
        } catch (UnsatisfiedLinkError e) {
            failure = new PreGradException(
                    "cannot load LibTorch (" + firstLine(e) + "): set " + LibTorch.PROPERTY
                            + " to the folder of one that fits this machine",
                    e);
            throw failure;
        }
    }

    /** The version of these classes. */
    public static String version() {
        try (InputStream in = Loader.class.getResourceAsStream("/org/pregrad/version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException | NullPointerException e) {
            throw new PreGradException("the jar has no org/pregrad/version.properties: build it with Maven", e);
        }
    }

    /** The file of libpregrad.so that runs. */
    public static String library() {
        return library.toString();
    }

    /** The folder of the LibTorch that runs. */
    public static String libtorch() {
        return LibTorch.folder();
    }

    /** How OpenBLAS's threads wait. */
    public static String openblas() {
        return OpenBlas.setting();
    }

    private static Path file(String name) {
        String given = System.getProperty(PROPERTY);
        if (given == null) {
            return Cache.unpack("org/pregrad/native/" + platform() + "/" + name, name);
        }
        Path file = Path.of(given, name).toAbsolutePath();
        if (!Files.isRegularFile(file)) {
            throw new PreGradException("no " + name + " in '" + given + "': set " + PROPERTY
                    + " to the folder of PreGrad's native libraries, or do not set it");
        }
        return file;
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch");
        return system + "-" + (machine.equals("amd64") ? "x86_64" : machine);
    }

    private static void system(Path file) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            String reason = firstLine(e).replace(file + ": ", "");
            String mend = ": build PreGrad for this machine and its LibTorch";
            if (reason.contains("failed to map segment")) {
                mend = ": its folder may not be executed (mounted noexec); set " + Cache.PROPERTY + " to another";
            } else if (reason.contains("already loaded in another classloader")) {
                mend = ": put the jar of PreGrad where one class loader serves all users";
            }
            throw new PreGradException("cannot load '" + file + "' (" + reason + ")" + mend, e);
        }
    }

    private static void shakeHands() {
        String ours = version();
        String theirs = Text.of(Native.version());
        if (!ours.equals(theirs)) {
            throw new PreGradException("the classes are PreGrad " + ours + " but '" + library + "' is PreGrad " + theirs
                    + ": use both from one build");
        }
    }

    private static void prepareExit() {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(Native::leaveRunningCallsAtExit, "pregrad-exit"));
        } catch (IllegalStateException e) {
            // The JVM exits already, and takes no more hooks.
        }
    }

    private static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
