package org.pregrad.benchmarks;

/** The batch of a case added by C++ again and again, in this JVM: native/benchmarks/jni. */
final class CppLoop implements AutoCloseable {
    private final long handle;

    /** PreGrad must have been loaded, since the library that this loads uses the same one. */
    CppLoop(String name) {
        System.load(System.getProperty("pregrad.benchmark.library"));
        handle = open(BenchmarkCase.list().toString(), BenchmarkCase.folder().toString(), name);
    }

    void add(int times) {
        add(handle, times);
    }

    /** With the inputs copied into the same tensor each time. */
    void copyAndAdd(int times) {
        copyAndAdd(handle, times);
    }

    /** The same, copied by JNI's GetFloatArrayRegion from the case's own inputs. */
    void jniCopyAndAdd(float[] inputs, int times) {
        jniCopyAndAdd(handle, inputs, times);
    }

    @Override
    public void close() {
        close(handle);
    }

    private static native long open(String cases, String folder, String name);

    private static native void add(long handle, int times);

    private static native void copyAndAdd(long handle, int times);

    private static native void jniCopyAndAdd(long handle, float[] inputs, int times);

    private static native void close(long handle);
}
