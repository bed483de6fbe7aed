package org.pregrad.internal.isolation;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the process of an isolated model may take.
 *
 * @param memory in bytes, of what it may write to; empty for no limit of its own
 * @param time of a call; empty for no limit
 */
public record Limits(OptionalLong memory, Optional<Duration> time) {
    /** How long, in seconds, a call may take beyond its limit until its process is ended: it may well end by itself. */
    public static final int GRACE_S = 2;

    /** In bytes, 2 GiB: on two cores a Java process with LibTorch takes half of it before it computes anything. */
    public static final long LEAST_MEMORY = 1L << 31;
}
