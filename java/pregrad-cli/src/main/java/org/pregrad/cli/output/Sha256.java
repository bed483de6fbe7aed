package org.pregrad.cli.output;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The digest that every JDK has. */
final class Sha256 {
    static final int BYTES = 32;

    private Sha256() {}

    static MessageDigest start() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    static byte[] of(byte[] bytes) {
        return start().digest(bytes);
    }
}
