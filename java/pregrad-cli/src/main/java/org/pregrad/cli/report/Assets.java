package org.pregrad.cli.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/** What the page is made of besides its data. */
final class Assets {
    private static final String ECHARTS_PROPERTIES = "/META-INF/maven/org.webjars/echarts/pom.properties";

    /** The page's own scripts, in the order in which they need each other. */
    private static final List<String> SCRIPTS = List.of(
            "core.js",
            "scores.js",
            "stats.js",
            "theme.js",
            "marks.js",
            "chart.js",
            "keyboard.js",
            "chooser.js",
            "overview.js",
            "neurons.js",
            "examples.js",
            "curves.js",
            "heatmap.js",
            "cancellation.js",
            "main.js");

    private Assets() {}

    /** @param hash as a content security policy names the script */
    record Script(String text, String hash) {}

    static String text(String name) {
        return resource("/org/pregrad/cli/report/" + name);
    }

    /** The charting library first. */
    static List<Script> scripts() {
        String own = String.join("\n", SCRIPTS.stream().map(Assets::text).toList());
        return List.of(
                script(resource("/META-INF/resources/webjars/echarts/" + echartsVersion() + "/echarts.min.js")),
                script(own));
    }

    static String echartsVersion() {
        try (InputStream in = Assets.class.getResourceAsStream(ECHARTS_PROPERTIES)) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Script script(String text) {
        // HTML parsers turn each CR LF into LF before a policy's hash is checked.
        String parsed = text.replace("\r\n", "\n");
        if (parsed.toLowerCase(Locale.ROOT).contains("</script") || parsed.contains("<!--")) {
            throw new IllegalStateException("a script of the report cannot stand inside HTML");
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(parsed.getBytes(StandardCharsets.UTF_8));
            return new Script(parsed, "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static String resource(String path) {
        try (InputStream in = Assets.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("the report lacks its resource " + path);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
