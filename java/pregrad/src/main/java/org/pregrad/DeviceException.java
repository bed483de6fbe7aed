package org.pregrad;

/**
 * A CUDA device is not there, has no driver, has too little memory even for one sample, or broke. After a sticky CUDA error
 * the device is not used any more in this process: whatever would use it throws this at once. The JVM, other devices, and
 * what was computed before live on.
 */
public class DeviceException extends PreGradException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong and how to mend it */
    public DeviceException(String message) {
        super(message);
    }
}
