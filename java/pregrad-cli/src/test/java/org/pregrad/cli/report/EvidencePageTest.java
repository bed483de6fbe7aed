package org.pregrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.Select;
import org.pregrad.cli.output.FileDigest;

/** Layers, many clusters, pairs of clusters and examples as a browser shows them. */
class EvidencePageTest {
    private static final int CLUSTERS = 30;

    @TempDir
    private static Path folder;

    private static Chromium chromium;
    private static ChromeDriver driver;

    @BeforeAll
    static void draw() throws IOException {
        if (!Chromium.isInstalled()) {
            return;
        }
        Map<String, Integer> layers = new LinkedHashMap<>();
        layers.put("first", 6);
        layers.put("second", 8);
        new SampleRun(layers, CLUSTERS).writeAttribution(folder);
        Files.writeString(folder.resolve("examples.csv"), """
                layer,call,cluster,method,neuron,rank,sample,position,value
                first,0,0,activation,0,1,2,,1.5
                first,0,0,activation,0,2,0,,1.25
                second,0,0,activation,0,1,1,,2.5
                """);
        Path data = folder.resolve("data.npy");
        Files.write(data, pictures());
        Path summary = folder.resolve("summary.json");
        Files.writeString(
                summary,
                Files.readString(summary)
                        .replace(
                                "0123456789abcdef".repeat(4),
                                FileDigest.of(data).sha256()));
        try (var to = Files.newBufferedWriter(folder.resolve("report.html"))) {
            Report.read(new DirectoryFiles(folder), Report.Part.ALL, Report.USUAL, data)
                    .write(to);
        }
        chromium = Chromium.open();
        driver = chromium.driver();
    }

    /** Three of 2x2 pixels, [3, 1, 2, 2] as numpy.save writes it; the last is bright in its right column. */
    private static byte[] pictures() {
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2, 2), }";
        String padded = header + " ".repeat(118 - 1 - header.length()) + "\n";
        ByteBuffer file = ByteBuffer.allocate(128 + 3 * 4 * 4).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0}).putShort((short) 118);
        file.put(padded.getBytes(StandardCharsets.US_ASCII));
        for (float value : new float[] {0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1}) {
            file.putFloat(value);
        }
        return file.array();
    }

    @AfterAll
    static void closeBrowser() {
        if (chromium != null) {
            chromium.close();
        }
    }

    @BeforeEach
    void show() {
        Chromium.demand();
        chromium.console();
        chromium.requests();
        chromium.show(folder.resolve("report.html"), 1200, 900, false);
    }

    @AfterEach
    void complainsOfNothingAndAsksForNothing() {
        if (chromium == null) {
            return;
        }
        assertThat(chromium.console()).isEmpty();
        assertThat(chromium.requests())
                .allMatch(address -> address.startsWith("data:image/png;base64,")
                        || (address.startsWith("file:") && address.endsWith("/report.html")));
    }

    /** Values of the tables in Abramowitz and Stegun, 26.10, and of scipy.stats. */
    @Test
    void knowsStudentsDistribution() {
        assertThat(number("pregrad.stats.bound(1)")).isCloseTo(12.706, within(1e-3));
        assertThat(number("pregrad.stats.bound(10)")).isCloseTo(2.228139, within(1e-6));
        assertThat(number("pregrad.stats.bound(1000)")).isCloseTo(1.962339, within(1e-6));
        assertThat(number("pregrad.stats.p(2.5, 7.5)")).isCloseTo(0.0388, within(1e-3));
        assertThat(number("pregrad.stats.p(1, 1)")).isCloseTo(0.5, within(1e-12));
        List<Number> q = script("return pregrad.stats.rates([0.01, NaN, 0.04, 0.03]).map((one) => one || -1)");
        assertThat(q)
                .extracting(Number::doubleValue)
                .usingElementComparator((a, b) -> Math.abs(a - b) < 1e-12 ? 0 : 1)
                .containsExactly(0.03, -1.0, 0.04, 0.04);
    }

    @Test
    void comparesTwoClustersByWelch() {
        new Select(driver.findElement(By.id("other"))).selectByVisibleText("3 (121 samples)");
        assertThat(driver.findElement(By.id("neurons-title")).getText())
                .isEqualTo("Two clusters side by side of first@0, clusters 0 and 3, gradient, mean");
        List<String> row = script("return [...document.querySelectorAll('#neurons-table tbody tr')]"
                + ".map((row) => [...row.cells].map((cell) => cell.textContent)).find((row) => row[0] === '2')");
        double[] one = scores(0, 2);
        double[] other = scores(3, 2);
        double[] squares = {one[4] * one[4] / (one[0] - 1), other[4] * other[4] / (other[0] - 1)};
        double half = Math.sqrt(squares[0] + squares[1]) * 1.971;
        assertThat(parsed(row.get(3).split(" ± ", -1)[0]))
                .isCloseTo(one[1] - other[1], within(0.006 * Math.abs(one[1] - other[1])));
        // Between 100 and 219 degrees of freedom, t is between 1.971 and 1.984.
        assertThat(parsed(row.get(3).split(" ± ", -1)[1])).isBetween(half * 0.94, half * 1.06);
        assertThat(row).hasSize(5);
        assertThat(driver.findElement(By.id("overview-profile")).getText()).contains("Cluster 0", "Cluster 3");
    }

    @Test
    void findsOneOfManyClustersByKeyboard() {
        WebElement find = driver.findElement(By.id("cluster-find"));
        find.sendKeys("27", Keys.ENTER);
        assertThat(driver.findElement(By.id("neurons-title")).getText()).contains("cluster 27,");
        assertThat(driver.findElement(By.id("cluster-found")).getText()).isEqualTo("1 of 30");
        find.clear();
        find.sendKeys("1", Keys.ARROW_DOWN);
        assertThat(driver.findElement(By.id("neurons-title")).getText()).contains("cluster 1,");
        find.sendKeys(Keys.ARROW_DOWN);
        assertThat(driver.findElement(By.id("neurons-title")).getText()).contains("cluster 10,");
        find.sendKeys(Keys.ESCAPE);
        assertThat(new Select(driver.findElement(By.id("cluster"))).getOptions())
                .hasSize(CLUSTERS);
        assertThat(driver.findElement(By.id("layer-find")).isDisplayed()).isFalse();
    }

    @Test
    void choosesALayerAndAClusterOnTheMap() {
        WebElement map = driver.findElement(By.id("overview-chart"));
        map.sendKeys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT);
        assertThat(driver.findElement(By.cssSelector("#overview-chart ~ .reading"))
                        .getText())
                .startsWith("second@0, cluster 2: distinctness ");
        map.sendKeys(Keys.ENTER);
        assertThat(driver.findElement(By.id("neurons-title")).getText()).contains("second@0, cluster 2,");
        new Select(driver.findElement(By.id("overview-measure"))).selectByVisibleText("Size");
        assertThat(driver.findElement(By.id("overview-note")).getText()).contains("free of the layer’s own scale");
        assertThat(driver.findElements(By.cssSelector("#overview-profile tbody tr")))
                .hasSize(2);
    }

    @Test
    void showsExamplesAsPictures() {
        List<WebElement> pictures = driver.findElements(By.cssSelector("#examples-list img"));
        assertThat(pictures).hasSize(2);
        assertThat(driver.findElement(By.id("examples-list")).getText())
                .contains("Neuron 0", "Sample 2", "1.5", "Sample 0");
        List<Number> pixels = script(
                "const picture = document.querySelector('#examples-list img');"
                        + "const canvas = document.createElement('canvas'); const to = canvas.getContext('2d');"
                        + "to.drawImage(picture, 0, 0); return [...to.getImageData(0, 0, 2, 2).data].filter((one, at) => at % 4 === 0)");
        assertThat(pixels).extracting(Number::intValue).containsExactly(0, 255, 0, 255);
        new Select(driver.findElement(By.id("cluster"))).selectByIndex(1);
        assertThat(driver.findElement(By.id("examples-text")).getText()).startsWith("There are no examples");
    }

    @Test
    void fitsAPhoneAndNamesItsControls() {
        chromium.show(folder.resolve("report.html"), 360, 740, true);
        assertThat(this.<Long>script("return document.documentElement.scrollWidth"))
                .isEqualTo(360);
        for (WebElement control :
                driver.findElements(By.cssSelector("select, input, .chart, [role=region], section"))) {
            if (control.isDisplayed()) {
                assertThat(control.getAccessibleName())
                        .as(control.getDomAttribute("id"))
                        .isNotBlank();
            }
        }
    }

    /** Count, mean, mean_abs, rms and std of a neuron of the first layer by gradient. */
    private static double[] scores(int cluster, int neuron) {
        try {
            return Files.readAllLines(folder.resolve("scores.csv")).stream()
                    .filter(line -> line.startsWith("\"first\",0," + cluster + ",gradient," + neuron + ","))
                    .map(line -> List.of(line.split(",")).subList(5, 10).stream()
                            .mapToDouble(Double::parseDouble)
                            .toArray())
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static double parsed(String shown) {
        return Double.parseDouble(shown.replace('\u2212', '-'));
    }

    private double number(String expression) {
        return this.<Number>script("return " + expression).doubleValue();
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private <T> T script(String body) {
        return (T) driver.executeScript(body);
    }
}
