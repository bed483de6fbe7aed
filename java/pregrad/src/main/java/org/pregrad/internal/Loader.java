package org.pregrad.internal;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.pregrad.PreGradException;

/**
 * Loads the native libraries, once: first libpregrad_boot.so, which sets the environment that OpenBLAS reads, then
 * LibTorch, then libpregrad.so, which finds LibTorch by its names because it is loaded already.
 *
 * <p>LibTorch can be in a process only once, so class loaders share it and libpregrad.so: both belong to the process. Only
 * libpregrad_boot.so belongs to a class loader, and binds the native methods of its {@link Native}.
 */
public final class Loader {
    /** The system property with the folder of PreGrad's own libraries. */
    static final String PROPERTY = "pregrad.library";

    static final String LIBRARY = "libpregrad.so";

    private static final String BOOT = "libpregrad_boot.so";

    /** One for all class loaders of the JVM, which could otherwise load at once. */
    private static final Object PROCESS = "org.pregrad.internal.Loader".intern();

    private static boolean loaded;
    private static PreGradException failure;
    private static volatile Path library;
    /** Null once it is released. */
    private static Thread exitHook;

    private static volatile int threads;

    private Loader() {}

    /** Loads what is not loaded yet. */
    public static synchronized void load() {
        if (failure != null) {
            throw new PreGradException(failure.getMessage(), failure);
        }
        if (!loaded) {
            try {
                loadLibraries();
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
            } catch (IllegalCallerException e) {
                failure = new PreGradException(
                        "this JVM denies native code to PreGrad (" + firstLine(e)
                                + "): start it with --enable-native-access=" + modules(),
                        e);
                throw failure;
            }
        }
        if (exitHook == null) {
            prepareExit();
        }
    }

    /** Gives back what the JVM holds of these classes, so that their class loader can be collected. */
    public static synchronized void release() {
        if (exitHook != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(exitHook);
            } catch (IllegalStateException e) {
                // The JVM exits, and the hook with it.
            }
            exitHook = null;
        }
        if (loaded && !LibTorch.isCustom()) {
            LibTorch.endDeallocator();
        }
    }

    private static void loadLibraries() {
        synchronized (PROCESS) {
            loadBoot(file(BOOT));
            OpenBlas.prepare();
            LibTorch.load();
            library = shared(file(LIBRARY));
            try {
                open(library);
            } catch (UnsatisfiedLinkError e) {
                throw cannotLoad(library, e);
            }
            bind();
            shakeHands();
            OpenBlas.join();
        }
    }

    /** Loads a library for the process. */
    static void open(Path file) {
        byte[] reason = Boot.open(terminated(file));
        if (reason != null) {
            throw new UnsatisfiedLinkError(file + ": " + Text.of(reason).replace(file + ": ", ""));
        }
    }

    /** Whether {@link #load} has succeeded. */
    public static synchronized boolean isLoaded() {
        return loaded;
    }

    /** Sets how many threads one operation may use; to be called after {@link #load}. */
    public static void setThreads(int number) {
        Native.setThreads(number);
        threads = number;
    }

    /** What {@link #setThreads} was told last; 0 if it was not called. */
    public static int threads() {
        return threads;
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

    private static void loadBoot(Path file) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            if (!firstLine(e).contains("already loaded in another classloader")) {
                throw cannotLoad(file, e);
            }
            Path ours = Cache.another(file);
            try {
                System.load(ours.toString());
            } finally {
                ours.toFile().delete();
            }
        }
    }

    private static PreGradException cannotLoad(Path file, UnsatisfiedLinkError e) {
        String reason = firstLine(e).replace(file + ": ", "");
        String mend = reason.contains("failed to map segment")
                ? ": its folder may not be executed (mounted noexec); set " + Cache.PROPERTY + " to another"
                : ": build PreGrad for this machine and its LibTorch";
        return new PreGradException("cannot load '" + file + "' (" + reason + ")" + mend, e);
    }

    /** The library that another class loader uses, if there is one; two would register the same operators with LibTorch. */
    private static Path shared(Path ours) {
        Path there = Mapped.file(LIBRARY).orElse(ours);
        try {
            if (Mapped.isSame(there, ours) || Files.notExists(there) || Files.mismatch(there, ours) < 0) {
                return there;
            }
        } catch (IOException e) {
            // Then it is as another one.
        }
        throw new PreGradException(
                "another PreGrad is in this process already: '" + there + "' is loaded, and this is '"
                        + ours
                        + "'; two cannot share LibTorch: use one build of PreGrad in all class loaders, or put its jar where"
                        + " one class loader serves all users");
    }

    private static void bind() {
        List<Method> methods = Arrays.stream(Native.class.getDeclaredMethods())
                .filter(method -> Modifier.isNative(method.getModifiers()))
                .toList();
        String lacks = Boot.bind(
                terminated(library),
                Native.class,
                methods.stream().map(Method::getName).toArray(String[]::new),
                methods.stream().map(Loader::descriptor).toArray(String[]::new));
        if (lacks != null) {
            throw new PreGradException("'" + library + "' lacks " + lacks + ", so it is not of PreGrad " + version()
                    + ", as these classes are: use both from one build");
        }
    }

    private static String descriptor(Method method) {
        return MethodType.methodType(method.getReturnType(), method.getParameterTypes())
                .toMethodDescriptorString();
    }

    private static byte[] terminated(Path file) {
        byte[] path = Text.path(file);
        return Arrays.copyOf(path, path.length + 1);
    }

    /** Those that load native code, as the JVM's option names them. */
    private static String modules() {
        Module ours = Loader.class.getModule();
        return ours.isNamed() ? ours.getName() + ",org.bytedeco.javacpp" : "ALL-UNNAMED";
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
        Thread hook = new Thread(Native::leaveRunningCallsAtExit, "pregrad-exit");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM exits already, and takes no more hooks.
        }
        exitHook = hook;
    }

    static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
