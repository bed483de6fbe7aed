package org.pregrad.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.pregrad.PreGrad;
import org.pregrad.PreGradException;
import picocli.CommandLine.IVersionProvider;

/** The versions of what runs. */
public final class Versions implements IVersionProvider {
    /** Versions by lower-case name; loads the native libraries. */
    static Map<String, String> byName() {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("pregrad", PreGrad.version());
        versions.put("libtorch", PreGrad.libraryInfo().libtorchVersion());
        versions.put("java", Runtime.version().toString());
        return versions;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"PreGrad " + PreGrad.version(), "LibTorch " + libtorch(), "Java " + Runtime.version()};
    }

    /** Whoever asks for the versions may do so because something does not load. */
    private static String libtorch() {
        try {
            return PreGrad.libraryInfo().libtorchVersion();
        } catch (PreGradException e) {
            return "does not load: " + e.getMessage();
        }
    }
}
