package org.pregrad.internal;

/**
 * The entry points of libpregrad_boot.so: the environment of this process, which Java can read only as it began, and
 * libraries that belong to the process rather than to a class loader.
 */
final class Boot {
    private Boot() {}

    /** Sets a variable; 0 if it worked. */
    static native int setEnvironment(String name, String value, boolean overwrite);

    /** The variable now; null if it is not set. */
    static native String environment(String name);

    /**
     * Loads a library for good; no class loader has it.
     *
     * @param file as {@link Text#path} has it, and a NUL
     * @return null, or why it cannot be loaded
     */
    static native byte[] open(byte[] file);

    /**
     * Binds native methods of {@link Native} to the functions of a library that is open.
     *
     * @param file as {@link Text#path} has it, and a NUL
     * @return null, or the name of the first that the library lacks
     */
    static native String bind(byte[] file, Class<?> type, String[] names, String[] descriptors);
}
