package org.pregrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.Color;
import org.openqa.selenium.support.ui.Select;

/** The page as a browser shows it. */
class ReportPageTest {
    private static final String NASTY = "</script><img src=x onerror=alert(1)>\"'&{{name}} é漢";

    @TempDir
    private static Path folder;

    private static Path ablation;
    private static Chromium chromium;
    private static ChromeDriver driver;

    @BeforeAll
    static void draw() throws IOException {
        if (!Chromium.isInstalled()) {
            return;
        }
        chromium = Chromium.open();
        driver = chromium.driver();
        ablation =
                new SampleRun(Map.of("relu", 24), 3).writeAblation(Files.createDirectory(folder.resolve("ablation")));
        draw(ablation);
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
        chromium.show(ablation.resolve("report.html"), 1200, 900, false);
    }

    @AfterEach
    void complainsOfNothingAndAsksForNothing() {
        if (chromium == null) {
            return;
        }
        chromium.enableScripts(true);
        assertThat(chromium.console()).isEmpty();
        assertThat(chromium.requests())
                .isNotEmpty()
                .allMatch(address -> address.startsWith("file:") && address.endsWith("/report.html"));
    }

    @Test
    void drawsTheCurvesOfTheFile() throws IOException {
        Map<String, List<List<Number>>> drawn = drawnCurves();
        // Random, the oracle and the six with the lowest areas.
        assertThat(drawn).hasSize(8).containsKeys("random", "ablation, mean", "integrated-gradients, mean_abs");
        assertThat(drawn.get("ablation, mean")).hasSize(25);
        assertSame(drawn.get("ablation, mean"), fileCurve(0, "ablation", "mean", 7));
        assertThat(countOf("#curves-chart svg path")).isGreaterThan(16);
    }

    @Test
    void drawsTheMeanAndTheSpreadOfTheRandomOrders() throws IOException {
        List<double[]> repeats = rows(ablation.resolve("curves.csv"))
                .filter(row -> row[2].equals("0") && row[3].equals("random") && row[6].equals("12"))
                .map(row -> new double[] {Double.parseDouble(row[7])})
                .toList();
        assertThat(repeats).hasSize(20);
        double mean = repeats.stream().mapToDouble(value -> value[0]).average().orElseThrow();
        double variance = repeats.stream()
                .mapToDouble(value -> (value[0] - mean) * (value[0] - mean))
                .average()
                .orElseThrow();
        assertThat(drawnCurves().get("random").get(12).get(1).doubleValue()).isCloseTo(mean, within(1e-5));
        List<List<Number>> band =
                script("return " + chart("curves-chart") + ".getOption().series.find((one) => one.id === 'band').data");
        assertThat(band).hasSize(50);
        assertThat(band.get(12).get(1).doubleValue()).isCloseTo(mean + Math.sqrt(variance), within(1e-5));
        assertThat(band.get(37).get(1).doubleValue()).isCloseTo(mean - Math.sqrt(variance), within(1e-5));
    }

    @Test
    void redrawsForAnotherClusterAndMeasure() throws IOException {
        choose("cluster", "2 (114 samples)");
        assertSame(drawnCurves().get("ablation, mean"), fileCurve(2, "ablation", "mean", 7));
        assertThat(driver.findElement(By.id("curves-title")).getText()).endsWith("of relu@0, cluster 2");
        assertThat(shownGroups("areas")).containsExactly("relu@0, cluster 2");
        assertThat(shownGroups("cancellation")).containsExactly("relu@0, cluster 2");
        choose("metric", "Cross-entropy");
        assertSame(drawnCurves().get("ablation, mean"), fileCurve(2, "ablation", "mean", 9));
    }

    @Test
    void showsTheScoresOfAnotherMethodAndAggregate() throws IOException {
        assertThat(new Select(driver.findElement(By.id("aggregate"))).getOptions())
                .extracting(WebElement::getText)
                .containsExactly("mean", "mean_abs");
        choose("method", "integrated-gradients");
        choose("aggregate", "mean_abs");
        assertThat(shownGroups("top")).containsExactly("relu@0, integrated-gradients, mean_abs");
        List<List<Number>> cells = script(
                "return " + chart("heat-chart") + ".getOption().series.find((one) => one.type === 'heatmap').data");
        List<String> neurons = script("return " + chart("heat-chart") + ".getOption().yAxis[0].data");
        assertThat(cells).hasSize(24 * 3);
        for (List<Number> cell : cells) {
            String neuron = neurons.get(cell.get(1).intValue());
            double expected = rows(ablation.resolve("scores.csv"))
                    .filter(row -> row[2].equals(cell.get(0).toString())
                            && row[3].equals("integrated-gradients")
                            && row[4].equals(neuron))
                    .mapToDouble(row -> Double.parseDouble(row[7]))
                    .findFirst()
                    .orElseThrow();
            assertThat(cell.get(2).doubleValue()).isCloseTo(expected, within(1e-5));
        }
    }

    @Test
    void showsTheCurvesThatAreTicked() {
        driver.findElement(By.id("curves-none")).sendKeys(Keys.ENTER);
        assertThat(drawnCurves()).isEmpty();
        driver.findElement(By.xpath("//fieldset//label[contains(., 'gradient-x-activation, mean_abs')]//input"))
                .sendKeys(Keys.SPACE);
        assertThat(drawnCurves()).containsOnlyKeys("gradient-x-activation, mean_abs");
        choose("cluster", "1 (107 samples)");
        assertThat(drawnCurves()).containsOnlyKeys("gradient-x-activation, mean_abs");
        driver.findElement(By.id("curves-all")).sendKeys(Keys.ENTER);
        assertThat(drawnCurves()).hasSize(18);
        assertThat(driver.findElement(By.id("curves-text")).getText()).contains("18 of 18 curves shown");
    }

    @Test
    void readsPointsWithTheArrowKeys() throws IOException {
        WebElement chart = driver.findElement(By.id("curves-chart"));
        focusWithTab(chart);
        chart.sendKeys(Keys.ARROW_RIGHT);
        assertThat(reading("curves-chart"))
                .startsWith("random: 0 of 24 removed, accuracy 0.")
                .contains(" ± ");
        chart.sendKeys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT);
        double expected = fileCurve(0, "ablation", "mean", 7).get(2)[1];
        assertThat(reading("curves-chart")).startsWith("ablation, mean: 2 of 24 removed, accuracy 0.");
        assertThat(Double.parseDouble(reading("curves-chart").replaceAll(".* ", "")))
                .isCloseTo(expected, within(1e-4));
        List<List<Number>> cursor = script(
                "return " + chart("curves-chart") + ".getOption().series.find((one) => one.id === 'cursor').data");
        assertThat(cursor.get(0).get(0).intValue()).isEqualTo(2);
        chart.sendKeys(Keys.END);
        assertThat(reading("curves-chart")).startsWith("ablation, mean: 24 of 24 removed");
        chart.sendKeys(Keys.ESCAPE);
        assertThat(reading("curves-chart")).isEmpty();

        WebElement heat = driver.findElement(By.id("heat-chart"));
        heat.sendKeys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT);
        assertThat(reading("heat-chart")).matches("Neuron \\d+, cluster 1: .*\\d");
        WebElement cancellation = driver.findElement(By.id("cancellation-chart"));
        cancellation.sendKeys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT);
        assertThat(reading("cancellation-chart")).matches("gradient: median 0\\.\\d+, 24 neurons");
    }

    @Test
    void tellsAllShownCurvesBesideThePointer() throws IOException {
        String reach =
                "const chart = " + chart("curves-chart") + "; const [x, y] = chart.convertToPixel('grid', [3, 0.5]);"
                        + "chart.dispatchAction({type: 'showTip', x, y});";
        driver.executeScript(reach);
        waitUntil("return document.querySelector('.tip') !== null");
        List<String> lines =
                driver.findElement(By.className("tip")).getText().lines().toList();
        assertThat(lines).hasSize(1 + 2 * 8).startsWith("3 removed").contains("random", "ablation, mean");
        assertThat(Double.parseDouble(lines.get(lines.indexOf("ablation, mean") + 1)))
                .isCloseTo(fileCurve(0, "ablation", "mean", 7).get(3)[1], within(1e-4));
    }

    @Test
    void hasTheDataOfEachChartAsATable() throws IOException {
        openTable("curves-data");
        List<WebElement> head = driver.findElements(By.cssSelector("#curves-data thead th"));
        assertThat(head).hasSize(9);
        assertThat(head.get(2).getText()).isEqualTo("ablation, mean");
        assertThat(Double.parseDouble(
                        driver.findElement(By.cssSelector("#curves-data tbody tr:nth-child(3) td:nth-child(3)"))
                                .getText()))
                .isCloseTo(fileCurve(0, "ablation", "mean", 7).get(2)[1], within(1e-4));
        openTable("heat-data");
        assertThat(countOf("#heat-data tbody tr")).isEqualTo(24);
    }

    @Test
    void followsTheSystemsColoursAndTheButton() {
        String light = lineColour();
        assertThat(brightness("body", "background-color")).isGreaterThan(0.9);
        prefer(true);
        assertThat(brightness("body", "background-color")).isLessThan(0.1);
        assertThat(lineColour()).isNotEqualTo(light);
        WebElement button = driver.findElement(By.id("theme"));
        assertThat(button.getText()).isEqualTo("Light");
        button.click();
        assertThat(brightness("body", "background-color")).isGreaterThan(0.9);
        assertThat(lineColour()).isEqualTo(light);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasEnoughContrast(boolean dark) {
        prefer(dark);
        double paper = brightness("body", "background-color");
        for (String text :
                List.of("body", "header p", "figcaption", "label", "summary", ".hint", "thead th", "footer")) {
            double ink = brightness(text, "color");
            assertThat((Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05))
                    .as(text)
                    .isGreaterThan(4.5);
        }
    }

    @Test
    void fitsAPhone() {
        chromium.show(ablation.resolve("report.html"), 360, 740, false);
        assertThat(this.<Long>script("return document.documentElement.scrollWidth"))
                .isEqualTo(360);
        assertThat(this.<Long>script("return document.querySelector('#curves-chart svg').clientWidth"))
                .isBetween(280L, 360L);
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", 740, "height", 360, "deviceScaleFactor", 1, "mobile", false));
        waitUntil("return document.querySelector('#curves-chart svg').clientWidth > 600");
    }

    @Test
    void prints() {
        prefer(true);
        String dark = lineColour();
        Map<String, Object> printed = driver.executeCdpCommand("Page.printToPDF", Map.of("printBackground", true));
        byte[] pdf = Base64.getDecoder().decode((String) printed.get("data"));
        assertThat(new String(pdf, 0, 5, StandardCharsets.US_ASCII)).isEqualTo("%PDF-");
        assertThat(pdf.length).isGreaterThan(50_000);
        assertThat(lineColour()).isEqualTo(dark);
        driver.executeScript("dispatchEvent(new Event('beforeprint'))");
        assertThat(brightness("body", "background-color")).isGreaterThan(0.9);
        assertThat(this.<String>script("return document.querySelector('#curves-chart svg').getAttribute('width')"))
                .isEqualTo("680");
        driver.executeScript("dispatchEvent(new Event('afterprint'))");
        assertThat(lineColour()).isEqualTo(dark);
    }

    @Test
    void canBeReadByAScreenReader() {
        assertThat(driver.findElement(By.tagName("html")).getDomAttribute("lang"))
                .isEqualTo("en");
        for (String landmark : List.of("header", "main", "footer")) {
            assertThat(countOf("body > " + landmark)).as(landmark).isEqualTo(1);
        }
        assertThat(countOf("h1")).isEqualTo(1);
        List<Long> levels = script("return [...document.querySelectorAll('h1, h2, h3, h4')]"
                + ".filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]))");
        for (int i = 1; i < levels.size(); i++) {
            assertThat(levels.get(i)).isLessThanOrEqualTo(levels.get(i - 1) + 1);
        }
        for (WebElement control : driver.findElements(
                By.cssSelector("select, input, button, summary, [tabindex], [role=region], table, section"))) {
            if (control.isDisplayed() && !control.getTagName().equals("table")) {
                assertThat(control.getAccessibleName())
                        .as(control.getTagName() + " " + control.getDomAttribute("id"))
                        .isNotBlank();
            }
        }
        assertThat(countOf("th:not([scope])")).isZero();
        assertThat(this.<Boolean>script("const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);"
                        + "return new Set(ids).size === ids.length"))
                .isTrue();
        assertThat(countOf("svg:not([aria-hidden=true] svg):not([aria-hidden=true])"))
                .isZero();
        for (WebElement chart : driver.findElements(By.className("chart"))) {
            assertThat(chart.getDomAttribute("aria-describedby")).isNotBlank();
        }
    }

    @Test
    void showsWhereTheFocusIs() {
        WebElement select = driver.findElement(By.id("layer"));
        focusWithTab(select);
        assertThat(select.getCssValue("outline-style")).isEqualTo("solid");
        assertThat(select.getCssValue("outline-width")).isEqualTo("3px");
    }

    @Test
    void copiesTheCommand() {
        driver.findElement(By.id("copy")).click();
        waitUntil("return document.getElementById('copied').textContent !== ''");
        assertThat(driver.findElement(By.id("copied")).getText()).startsWith("Copied");
    }

    @Test
    void takesNamesAsText() throws IOException {
        Path directory =
                new SampleRun(Map.of(NASTY, 5), 2).writeAblation(Files.createDirectory(folder.resolve("nasty")));
        draw(directory);
        chromium.show(directory.resolve("report.html"), 360, 740, false);
        assertThat(new Select(driver.findElement(By.id("layer")))
                        .getFirstSelectedOption()
                        .getDomProperty("text"))
                .isEqualTo(NASTY + "@0 (5 neurons)");
        assertThat(driver.findElement(By.id("heat-title")).getText()).contains(NASTY + "@0");
        assertThat(driver.findElement(By.id("command")).getText()).contains(NASTY);
        assertThat(countOf("img")).isZero();
        assertThat(this.<Long>script("return document.documentElement.scrollWidth"))
                .isEqualTo(360);
    }

    @Test
    void leavesOutCurvesWhereNoneWereMeasured() throws IOException {
        Path directory = new SampleRun(Map.of("relu", 5), 1)
                .writeAttribution(Files.createDirectory(folder.resolve("attribution")));
        draw(directory);
        chromium.show(directory.resolve("report.html"), 1200, 900, false);
        assertThat(driver.findElements(By.id("curves-chart"))).isEmpty();
        assertThat(countOf("#heat-chart svg path")).isGreaterThan(5);
        choose("method", "activation");
        assertThat(shownGroups("top")).containsExactly("relu@0, activation, mean");
    }

    @Test
    void showsNoRanksThatTheLayerHasNot() throws IOException {
        Map<String, Integer> layers = new LinkedHashMap<>();
        layers.put("narrow", 3);
        layers.put("wide", 7);
        Path directory = new SampleRun(layers, 1).writeAttribution(Files.createDirectory(folder.resolve("two-widths")));
        draw(directory);
        chromium.show(directory.resolve("report.html"), 1200, 900, false);
        assertThat(shownRanks()).containsExactly("Cluster", "1", "2", "3");
        choose("layer", "wide@0 (7 neurons)");
        assertThat(shownRanks()).containsExactly("Cluster", "1", "2", "3", "4", "5", "6", "7");
        choose("layer", "narrow@0 (3 neurons)");
        assertThat(shownRanks()).containsExactly("Cluster", "1", "2", "3");
    }

    private static List<String> shownRanks() {
        return driver.findElements(By.cssSelector("#top thead th")).stream()
                .filter(WebElement::isDisplayed)
                .map(WebElement::getText)
                .toList();
    }

    @Test
    void cannotChooseWhatWasNotMeasured() throws IOException {
        Path directory =
                new SampleRun(Map.of("relu", 5), 1).writeAblation(Files.createDirectory(folder.resolve("one-cluster")));
        draw(directory);
        chromium.show(directory.resolve("report.html"), 1200, 900, false);
        assertThat(new Select(driver.findElement(By.id("metric"))).getOptions())
                .extracting(WebElement::isEnabled)
                .containsExactly(true, true, true, false);
    }

    @Test
    void hasItsTablesWithoutScripts() {
        chromium.enableScripts(false);
        chromium.show(ablation.resolve("report.html"), 1200, 900, false);
        assertThat(driver.findElement(By.cssSelector("noscript p")).getText()).contains("Scripts are off");
        assertThat(driver.findElement(By.id("areas")).getText()).contains("relu@0, cluster 2", "conductance");
        assertThat(driver.findElement(By.id("top")).getText()).contains("relu@0, activation, mean_abs");
        assertThat(driver.findElement(By.id("choice")).isDisplayed()).isFalse();
    }

    private static void draw(Path directory) throws IOException {
        try (var to = Files.newBufferedWriter(directory.resolve("report.html"))) {
            Report.read(new DirectoryFiles(directory)).write(to);
        }
    }

    private static Stream<String[]> rows(Path file) throws IOException {
        return Files.readAllLines(file).stream().skip(1).map(line -> line.split(","));
    }

    private static List<double[]> fileCurve(int cluster, String method, String aggregate, int column)
            throws IOException {
        return rows(ablation.resolve("curves.csv"))
                .filter(row ->
                        row[2].equals(Integer.toString(cluster)) && row[3].equals(method) && row[4].equals(aggregate))
                .map(row -> new double[] {Double.parseDouble(row[6]), Double.parseDouble(row[column])})
                .toList();
    }

    private static void assertSame(List<List<Number>> drawn, List<double[]> file) {
        assertThat(drawn).hasSameSizeAs(file);
        for (int point = 0; point < file.size(); point++) {
            assertThat(drawn.get(point).get(0).doubleValue()).isEqualTo(file.get(point)[0]);
            assertThat(drawn.get(point).get(1).doubleValue()).isCloseTo(file.get(point)[1], within(1e-5));
        }
    }

    private static String chart(String id) {
        return "echarts.getInstanceByDom(document.querySelector('#" + id + " .drawn'))";
    }

    private Map<String, List<List<Number>>> drawnCurves() {
        return script("return Object.fromEntries(" + chart("curves-chart")
                + ".getOption().series.filter((one) => one.type === 'line').map((one) => [one.name, one.data]))");
    }

    private String lineColour() {
        return script("return " + chart("curves-chart")
                + ".getOption().series.find((one) => one.name === 'ablation, mean').lineStyle.color");
    }

    private List<String> shownGroups(String table) {
        return script("return [...document.getElementById('" + table + "').tBodies].filter((one) => !one.hidden)"
                + ".map((one) => one.rows[0].textContent.trim())");
    }

    private static void choose(String id, String text) {
        new Select(driver.findElement(By.id(id))).selectByVisibleText(text);
    }

    private void openTable(String id) {
        driver.findElement(By.cssSelector("#" + id + " summary")).click();
        waitUntil("return document.querySelector('#" + id + " table') !== null");
    }

    /** The page has taken the system's colours when its button offers the others. */
    private void prefer(boolean dark) {
        chromium.prefer(dark);
        waitUntil("return document.getElementById('theme').textContent === '" + (dark ? "Light" : "Dark") + "'");
    }

    private static String reading(String chart) {
        return driver.findElement(By.cssSelector("#" + chart + " ~ .reading")).getText();
    }

    private long countOf(String selector) {
        return this.<Long>script("return document.querySelectorAll('" + selector + "').length");
    }

    private static void focusWithTab(WebElement element) {
        for (int presses = 0; presses < 60; presses++) {
            driver.switchTo().activeElement().sendKeys(Keys.TAB);
            if (driver.switchTo().activeElement().equals(element)) {
                return;
            }
        }
        throw new AssertionError("the tab key does not reach " + element);
    }

    /** Relative luminance, from 0 to 1, as contrast is measured by. */
    private static double brightness(String selector, String property) {
        java.awt.Color colour = Color.fromString(
                        driver.findElement(By.cssSelector(selector)).getCssValue(property))
                .getColor();
        return 0.2126 * linear(colour.getRed())
                + 0.7152 * linear(colour.getGreen())
                + 0.0722 * linear(colour.getBlue());
    }

    private static double linear(int channel) {
        double value = channel / 255.0;
        return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
    }

    private void waitUntil(String condition) {
        for (int tries = 0; tries < 10_000; tries++) {
            if (this.<Boolean>script(condition)) {
                return;
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
        throw new AssertionError("never came true: " + condition);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private <T> T script(String body) {
        return (T) driver.executeScript(body);
    }
}
