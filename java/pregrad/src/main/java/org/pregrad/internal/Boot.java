package org.pregrad.internal;

/** The entry points of libpregrad_boot.so: the environment of this process, which Java can read only as it began. */
final class Boot {
    private Boot() {}

    /** Sets a variable; 0 if it worked. */
    static native int setEnvironment(String name, String value, boolean overwrite);

    /** The variable now; null if it is not set. */
    static native String environment(String name);
}
