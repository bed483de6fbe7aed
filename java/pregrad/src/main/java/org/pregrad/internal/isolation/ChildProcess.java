package org.pregrad.internal.isolation;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.pregrad.PreGradException;

/** Starts the process of an isolated model, and tells how it ended. */
final class ChildProcess {
    /** The system property with the class path of the child, where that of this process is not that of its classes. */
    static final String CLASS_PATH = "pregrad.isolation.classpath";

    /** How {@link #ending} begins where nothing ended the process but what it ran. */
    static final String BY_ITSELF = "ended by itself";

    /**
     * Signals of a terminal or a service's manager are for the parent, with which the child ends. Of all processes it is the
     * first that the system ends where memory runs out. Descriptor 3 becomes the pipe for results, so that what is printed
     * goes elsewhere.
     */
    private static final String SCRIPT = "trap '' INT HUP TERM; { echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null;"
            + " if [ -n \"$0\" ]; then ulimit -d \"$0\" || exit; fi; exec 3>&1 1>&2; exec \"$@\"";

    private static final List<String> JVM = List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-XX:-UsePerfData",
            "-XX:ErrorFile=/dev/null",
            "-XX:-CreateCoredumpOnCrash");

    /** A JVM of this release or later warns of native code that nobody has allowed. */
    private static final int ASKS_FOR_NATIVE_ACCESS = 22;

    /** Memory for what Java itself needs, as a share of the limit of all. */
    private static final int HEAP_SHARE = 4;

    private static final Map<Integer, String> SIGNALS = Map.of(
            4, "SIGILL", 6, "SIGABRT", 7, "SIGBUS", 8, "SIGFPE", 9, "SIGKILL", 11, "SIGSEGV", 15, "SIGTERM", 31,
            "SIGSYS");

    /** An exit code above this one is a signal. */
    private static final int SIGNALLED = 128;

    /** A process without its pipe is of no use. */
    private static final int MOST_ENDING_S = 10;

    private static final int KILLED = SIGNALLED + 9;

    private final Process process;
    private final OptionalLong memoryLimit;
    private final Printed printed = new Printed();
    private final Thread printing;

    private ChildProcess(Process process, OptionalLong memoryLimit) {
        this.process = process;
        this.memoryLimit = memoryLimit;
        printing = new Thread(() -> printed.read(process.getErrorStream()), "pregrad-isolated-printed");
        printing.setDaemon(true);
        printing.start();
    }

    static ChildProcess start(OptionalLong memoryLimit) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", SCRIPT));
        command.add(memoryLimit.isPresent() ? Long.toString(memoryLimit.getAsLong() >> 10) : "");
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM);
        memoryLimit.ifPresent(bytes -> command.add("-Xmx" + bytes / HEAP_SHARE));
        if (Runtime.version().feature() >= ASKS_FOR_NATIVE_ACCESS) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        System.getProperties().stringPropertyNames().stream()
                .filter(ChildProcess::isPassedOn)
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(List.of("-cp", classPath(), Child.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command);
        // What they ask for, such as a debugger's port, is this process's.
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"));
        try {
            return new ChildProcess(builder.start(), memoryLimit);
        } catch (IOException e) {
            throw new PreGradException(
                    "cannot start a process for the isolated model (" + e.getMessage() + "): let this program start "
                            + command.get(4) + " through sh, or load the model without isolated()",
                    e);
        }
    }

    private static boolean isPassedOn(String property) {
        return property.startsWith("pregrad.")
                || property.startsWith("org.bytedeco.")
                || List.of("java.io.tmpdir", "java.library.path", "user.home").contains(property);
    }

    private static String classPath() {
        String given = System.getProperty(CLASS_PATH);
        if (given != null) {
            return given;
        }
        List<String> entries = new ArrayList<>(List.of(System.getProperty("java.class.path", "")));
        Stream.of(System.getProperty("jdk.module.path", "").split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty())
                .forEach(entry -> {
                    entries.add(entry);
                    if (Files.isDirectory(Path.of(entry))) {
                        entries.add(entry + File.separator + "*");
                    }
                });
        entries.removeIf(String::isEmpty);
        return String.join(File.pathSeparator, entries);
    }

    Process process() {
        return process;
    }

    /** Ends the process, and returns when it has. */
    void kill() {
        // Unlike Process's own it leaves the streams open, from which may be read how the process ended.
        process.toHandle().destroyForcibly();
        process.onExit().join();
    }

    /**
     * How the process ended, e.g. {@code crashed (SIGSEGV in libtorch_cpu.so)}; to be called where its pipe for results has
     * ended, and so the process has, or will soon.
     */
    String ending() {
        try {
            if (!process.waitFor(MOST_ENDING_S, TimeUnit.SECONDS)) {
                kill();
            }
            printing.join();
        } catch (InterruptedException e) {
            // Nobody interrupts the thread that calls this.
            Thread.currentThread().interrupt();
        }
        int code = process.onExit().join().exitValue();
        String limit = memoryLimit.isPresent() ? " (its limit is " + memoryLimit.getAsLong() + " bytes)" : "";
        if (printed.lacksMemory) {
            return "ran out of memory" + limit;
        }
        if (printed.signal != null) {
            return "crashed (" + printed.signal + (printed.frame == null ? "" : " in " + printed.frame) + ")";
        }
        if (code == KILLED) {
            return "was killed (SIGKILL), as the system does where memory runs out";
        }
        if (code > SIGNALLED) {
            return "was ended by a signal (" + SIGNALS.getOrDefault(code - SIGNALLED, "number " + (code - SIGNALLED))
                    + ")";
        }
        return BY_ITSELF + " (exit code " + code + (printed.last == null ? "" : ": " + printed.last) + ")";
    }

    /** What the process prints: only how it crashed is kept, and the last line. */
    private static final class Printed {
        private static final int MOST = 200;
        private static final Pattern SIGNAL = Pattern.compile("#\\s+(SIG[A-Z]+) \\(0x.*");
        private static final Pattern FRAME = Pattern.compile("# C\\s+\\[([^+\\]]+).*");
        private static final Pattern NO_MEMORY = Pattern.compile(
                "# There is insufficient memory for the Java .*|.*java\\.lang\\.OutOfMemoryError.*|.*Memory allocation still failed.*"
                        + "|Error occurred during initialization of VM.*");

        private final StringBuilder line = new StringBuilder();
        private String signal;
        private String frame;
        private String last;
        private boolean lacksMemory;

        private void read(InputStream from) {
            byte[] some = new byte[1 << 12];
            try {
                for (int size = from.read(some); size >= 0; size = from.read(some)) {
                    for (int i = 0; i < size; i++) {
                        take((char) (some[i] & 0xff));
                    }
                }
            } catch (IOException e) {
                // It has ended, and what it printed before is known.
            }
            take('\n');
        }

        private void take(char each) {
            if (each == '\n') {
                end(line.toString());
                line.setLength(0);
            } else if (line.length() < MOST) {
                // A model may print what a terminal would obey.
                line.append(each >= ' ' && each <= '~' ? each : '?');
            }
        }

        private void end(String text) {
            Matcher signals = SIGNAL.matcher(text);
            Matcher frames = FRAME.matcher(text);
            if (signals.matches()) {
                signal = signals.group(1);
            } else if (frames.matches()) {
                frame = frames.group(1);
            } else if (NO_MEMORY.matcher(text).matches()) {
                lacksMemory = true;
            }
            if (!text.isBlank()) {
                last = text;
            }
        }
    }
}
