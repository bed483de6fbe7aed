package org.pregrad.internal;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.pregrad.DeviceException;
import org.pregrad.PreGradException;

/** Loads LibTorch: that of the JavaCPP presets, or one of the user's own. */
public final class LibTorch {
    /** The system property with the folder of the user's own. */
    public static final String PROPERTY = "pregrad.libtorch";

    /** In the order in which they need each other; those of CUDA are there only in builds for it. */
    private static final List<String> LIBRARIES =
            List.of("libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so");

    /** With what LibTorch itself loads, from beside the others, when a model decomposes or solves on a GPU. */
    private static final List<String> UNPACKED = Stream.concat(LIBRARIES.stream(), Stream.of("libtorch_cuda_linalg.so"))
            .toList();

    /** Whose presence tells that a LibTorch is loaded. */
    private static final String MAIN = "libtorch_cpu.so";

    private static final List<String> OPTIONAL = List.of("libc10_cuda.so", "libtorch_cuda.so");

    private static volatile String folder;
    private static volatile String withoutCuda;

    private LibTorch() {}

    /** Whether the user names one; an empty name is none, as a build may pass it. */
    static boolean isCustom() {
        return !System.getProperty(PROPERTY, "").isEmpty();
    }

    /** Where it was loaded from. */
    static String folder() {
        return folder;
    }

    /** The same exception, with the reason if CUDA's part of this LibTorch could not be loaded. */
    public static DeviceException explained(DeviceException e) {
        String reason = withoutCuda;
        return reason == null
                ? e
                : new DeviceException(e.getMessage() + " (its libtorch_cuda.so cannot be loaded: " + reason
                        + "; put CUDA and cuDNN where the loader finds them, as with LD_LIBRARY_PATH, and add"
                        + " org.bytedeco:cuda-redist with its classifier)");
    }

    static void load() {
        Optional<Path> there = Mapped.file(MAIN);
        if (isCustom()) {
            Path libraries = find(System.getProperty(PROPERTY));
            there.ifPresent(file -> requireSame(file, List.of(libraries.resolve(MAIN))));
            for (String library : LIBRARIES) {
                Path file = libraries.resolve(library);
                if (Files.exists(file) || !OPTIONAL.contains(library)) {
                    Loader.open(file);
                }
            }
            folder = libraries.toString();
        } else if (there.isPresent()) {
            // JavaCPP cannot load for one class loader what it has loaded for another, and need not.
            requireSame(there.get(), Presets.unpacked());
            folder = there.get().getParent().toString();
        } else {
            folder = Presets.load();
            withoutCuda = failureOfCuda(Path.of(folder).resolve("libtorch_cuda.so"));
        }
    }

    private static void requireSame(Path there, List<Path> ours) {
        if (ours.stream().noneMatch(file -> Mapped.isSame(there, file))) {
            throw new PreGradException("another LibTorch is in this process already: '" + there
                    + "' is loaded, and PreGrad would load '" + ours.get(0)
                    + "'; two in one process break each other: set " + PROPERTY + " to '" + there.getParent()
                    + "' if its version fits, or use one of the two libraries in a process of its own");
        }
    }

    /** JavaCPP goes on in silence where CUDA's part cannot be loaded, and models run on the processor; null if it is there. */
    private static String failureOfCuda(Path file) {
        if (!Files.exists(file)) {
            return null;
        }
        try {
            Loader.open(file);
            return null;
        } catch (UnsatisfiedLinkError e) {
            return Loader.firstLine(e).replace(file + ": ", "");
        }
    }

    /**
     * Ends the thread with which JavaCPP frees tensors that nobody refers to, if it is of this class loader's JavaCPP: it
     * would keep the class loader as long as the JVM runs.
     */
    static void endDeallocator() {
        Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getClass().getName().equals("org.bytedeco.javacpp.Pointer$DeallocatorThread"))
                .filter(thread -> thread.getClass().getClassLoader() == LibTorch.class.getClassLoader())
                .forEach(Thread::interrupt);
    }

    private static Path find(String given) {
        Path root = Path.of(given).toAbsolutePath();
        for (Path candidate : List.of(root, root.resolve("lib"))) {
            if (Files.exists(candidate.resolve(MAIN))) {
                return candidate;
            }
        }
        throw new PreGradException("no libtorch_cpu.so in '" + given + "' or its lib" + File.separator + ": set "
                + PROPERTY + " to the folder of a LibTorch, or do not set it");
    }

    /** Apart, so that without the presets' jars the user's own LibTorch still works. */
    private static final class Presets {
        private static final String LOAD = "org.bytedeco.javacpp.loadlibraries";
        private static final String LIMIT = "org.bytedeco.javacpp.maxPhysicalBytes";

        private static String load() {
            // JavaCPP else throws OutOfMemoryError by the size of the whole process, of which a model is part.
            if (System.getProperty(LIMIT) == null) {
                System.setProperty(LIMIT, "0");
            }
            try {
                silenceVersionCheck();
                unpackForCuda();
                String file = org.bytedeco.javacpp.Loader.load(org.bytedeco.pytorch.global.torch.class);
                return Path.of(file).getParent().toString();
            } catch (NoClassDefFoundError e) {
                throw missing(e);
            }
        }

        /** Where JavaCPP has the library that tells of a LibTorch, with CUDA and without. */
        private static List<Path> unpacked() {
            List<Path> files = new ArrayList<>();
            try {
                for (String extension : List.of("-gpu", "")) {
                    URL packed = org.bytedeco.pytorch.global.torch.class.getResource("/org/bytedeco/pytorch/"
                            + org.bytedeco.javacpp.Loader.getPlatform() + extension + "/" + MAIN);
                    if (packed != null) {
                        files.add(unpack(packed).toPath());
                    }
                }
            } catch (NoClassDefFoundError e) {
                throw missing(e);
            }
            if (files.isEmpty()) {
                throw new UnsatisfiedLinkError("no " + MAIN + " on the class path");
            }
            return files;
        }

        private static PreGradException missing(NoClassDefFoundError e) {
            return new PreGradException(
                    "the JavaCPP presets of PyTorch are not on the class path: add "
                            + "org.bytedeco:pytorch with its classifier for this platform, or set " + PROPERTY
                            + " to the folder of a LibTorch",
                    e);
        }

        /**
         * JavaCPP unpacks a library when its turn comes, those for CUDA first. What these need of LibTorch would then come
         * from the folder of another LibTorch that a program has used with the same cache, and two in one process abort it.
         * What LibTorch loads by itself JavaCPP leaves packed.
         */
        private static void unpackForCuda() {
            String folder = "/org/bytedeco/pytorch/" + org.bytedeco.javacpp.Loader.getPlatform() + "-gpu/";
            for (String library : UNPACKED) {
                URL packed = org.bytedeco.pytorch.global.torch.class.getResource(folder + library);
                if (packed == null) {
                    continue;
                }
                unpack(packed);
            }
        }

        private static File unpack(URL packed) {
            try {
                return org.bytedeco.javacpp.Loader.cacheResource(packed);
            } catch (IOException e) {
                String path = packed.getPath();
                throw new PreGradException(
                        "cannot unpack " + path.substring(path.lastIndexOf('/') + 1) + " (" + e.getMessage()
                                + "): set org.bytedeco.javacpp.cachedir to a folder that you can write, with 1 GB left",
                        e);
            }
        }

        /**
         * The newest OpenBLAS that is published is of an older JavaCPP than PyTorch's. They fit, but JavaCPP would print
         * a warning when the class is initialised, unless it believes that it loads nothing.
         */
        private static void silenceVersionCheck() {
            String before = System.setProperty(LOAD, "false");
            try {
                Class.forName("org.bytedeco.openblas.presets.openblas");
            } catch (ClassNotFoundException e) {
                throw new NoClassDefFoundError(e.getMessage());
            } finally {
                if (before == null) {
                    System.clearProperty(LOAD);
                } else {
                    System.setProperty(LOAD, before);
                }
            }
        }
    }
}
