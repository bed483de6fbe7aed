package org.pregrad;

import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.Text;

/** The library itself. */
public final class PreGrad {
    private PreGrad() {}

    /**
     * What runs.
     *
     * @param version of PreGrad
     * @param library the file of PreGrad's native library
     * @param libtorchVersion the version of LibTorch
     * @param libtorch the folder of LibTorch
     * @param openblas how OpenBLAS, which the presets' LibTorch computes with, was told to let its threads wait
     */
    public record LibraryInfo(
            String version, String library, String libtorchVersion, String libtorch, String openblas) {}

    /** {@return the version of PreGrad, e.g. {@code 0.1.0}; loads nothing} */
    public static String version() {
        return Loader.version();
    }

    /**
     * {@return what runs; loads the native libraries if they are not yet}
     *
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static LibraryInfo libraryInfo() {
        Loader.load();
        return new LibraryInfo(
                version(), Loader.library(), Text.of(Native.libtorchVersion()), Loader.libtorch(), Loader.openblas());
    }

    /**
     * Sets how many threads one operation of LibTorch may use, for threads that have not computed yet; by default one
     * per core. Loads the native libraries if they are not yet. An {@linkplain Model.Options#isolated() isolated} model
     * takes what was set when it was loaded.
     *
     * @param threads at least 1
     * @throws ArgumentException if it is less than 1
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static void setThreads(int threads) {
        if (threads < 1) {
            throw new ArgumentException("threads " + threads + " is less than 1: give 1 or more");
        }
        Loader.load();
        Loader.setThreads(threads);
    }

    /**
     * Gives back what the JVM holds of PreGrad's classes, so that their class loader can be collected: to be called last
     * when an application is undeployed, after its models are closed. Class loaders share the native libraries, which stay
     * in the process; PreGrad can be used again, in this class loader or another.
     *
     * <p>A class loader that has JavaCPP too (not from its parent) also loses the thread in which JavaCPP frees tensors that
     * were not closed.
     */
    public static void release() {
        Loader.release();
    }
}
