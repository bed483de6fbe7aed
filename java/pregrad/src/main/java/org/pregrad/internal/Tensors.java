package org.pregrad.internal;

import java.lang.ref.Reference;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;
import org.pregrad.ArgumentException;
import org.pregrad.InputException;

/** Tensors of JavaCPP, by their addresses. */
public final class Tensors {
    /** What takes a tensor and writes another. */
    public interface Map {
        void apply(long from, long to);
    }

    private Tensors() {}

    /** Refuses tensors of another LibTorch than the one that runs. */
    public static void check() {
        if (LibTorch.isCustom()) {
            throw new ArgumentException("tensors of JavaCPP live in the LibTorch of its presets, but "
                    + LibTorch.PROPERTY + " is set: give arrays or buffers, or do not set it");
        }
    }

    /** Runs `use` with the address of the tensor and keeps it alive as long. */
    public static <R> R use(Tensor tensor, LongFunction<R> use) {
        try {
            return use.apply(address(tensor));
        } finally {
            Reference.reachabilityFence(tensor);
        }
    }

    /** A new tensor to which `map` assigned. */
    public static Tensor map(Tensor tensor, Map map) {
        return use(tensor, from -> {
            Tensor result = new Tensor();
            try {
                map.apply(from, result.address());
                return result;
            } catch (Throwable e) {
                result.close();
                throw e;
            }
        });
    }

    /** The address of the tensor, which the caller keeps alive; refuses those of another LibTorch. */
    public static long address(Tensor tensor) {
        check();
        if (tensor == null || tensor.isNull()) {
            throw new InputException("the tensor is null or was closed: give one that is open");
        }
        return tensor.address() + tensor.position() * tensor.sizeof();
    }
}
