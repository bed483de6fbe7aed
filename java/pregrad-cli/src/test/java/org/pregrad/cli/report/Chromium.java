package org.pregrad.cli.report;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** A headless Chromium that reaches nothing but files. */
final class Chromium implements AutoCloseable {
    private static final String BROWSER = "chromium";
    private static final String DRIVER = "chromedriver";
    private static final String REQUIRED = "PREGRAD_REQUIRE_CHROMIUM";

    private final ChromeDriver driver;

    private Chromium(Path browser, Path driver) {
        ChromeOptions options = new ChromeOptions();
        options.setBinary(browser.toFile());
        options.addArguments(
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
                "--host-resolver-rules=MAP * ~NOTFOUND");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(driver.toFile())
                .usingAnyFreePort()
                .build();
        this.driver = new ChromeDriver(service, options);
    }

    static boolean isInstalled() {
        return onPath(BROWSER).isPresent() && onPath(DRIVER).isPresent();
    }

    /** Skips the test where there is no Chromium, or fails it where the environment demands one. */
    static void demand() {
        if (isInstalled()) {
            return;
        }
        String message = BROWSER + " or " + DRIVER
                + " is not on the PATH: install them (Debian: apt-get install chromium" + " chromium-driver)";
        if ("1".equals(System.getenv(REQUIRED))) {
            fail(message);
        }
        Assumptions.abort(message);
    }

    /** Starts it; it must be installed. */
    static Chromium open() {
        return new Chromium(onPath(BROWSER).orElseThrow(), onPath(DRIVER).orElseThrow());
    }

    ChromeDriver driver() {
        return driver;
    }

    /** Shows a page in a window of this size. */
    void show(Path page, int width, int height, boolean dark) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
        prefer(dark);
        driver.get(page.toUri().toString());
    }

    void prefer(boolean dark) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    void enableScripts(boolean enabled) {
        driver.executeCdpCommand("Emulation.setScriptExecutionDisabled", Map.of("value", !enabled));
    }

    /** The shown page's size is captured, down to this height. */
    String capture(int width, int height) {
        Map<String, Object> clip = new HashMap<>(Map.of("x", 0, "y", 0, "width", width, "height", height));
        clip.put("scale", 1);
        return (String)
                driver.executeCdpCommand("Page.captureScreenshot", Map.of("captureBeyondViewport", true, "clip", clip))
                        .get("data");
    }

    /** What the page's console has said since the last call. */
    List<String> console() {
        return messages(LogType.BROWSER).toList();
    }

    /** The addresses that were asked for since the last call. */
    List<String> requests() {
        return messages(LogType.PERFORMANCE)
                .filter(message -> message.contains("\"Network.requestWillBeSent\""))
                .map(message -> message.replaceAll("(?s).*\"request\":\\{.*?\"url\":\"([^\"]*)\".*", "$1"))
                .toList();
    }

    @Override
    public void close() {
        driver.quit();
    }

    private Stream<String> messages(String type) {
        return driver.manage().logs().get(type).getAll().stream().map(LogEntry::getMessage);
    }

    private static Optional<Path> onPath(String name) {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
