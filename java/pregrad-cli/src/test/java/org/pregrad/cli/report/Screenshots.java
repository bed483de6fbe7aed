package org.pregrad.cli.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.openqa.selenium.By;
import org.openqa.selenium.support.ui.Select;

/** Takes the pictures of a page that the documentation shows. */
final class Screenshots {
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 820;

    private Screenshots() {}

    /** Arguments: the page, the directory of the pictures and, if it is not the first, the cluster to choose. */
    public static void main(String[] arguments) throws IOException {
        Chromium.demand();
        try (Chromium chromium = Chromium.open()) {
            for (boolean dark : new boolean[] {false, true}) {
                chromium.show(Path.of(arguments[0]).toAbsolutePath(), WIDTH, HEIGHT, dark);
                if (arguments.length > 2) {
                    new Select(chromium.driver().findElement(By.id("cluster")))
                            .selectByContainsVisibleText(arguments[2] + " (");
                }
                Path picture = Path.of(arguments[1]).resolve("report-" + (dark ? "dark" : "light") + ".png");
                Files.write(picture, Base64.getDecoder().decode(chromium.capture(WIDTH, HEIGHT)));
                System.out.println(picture + ": " + Files.size(picture) + " bytes");
            }
        }
    }
}
