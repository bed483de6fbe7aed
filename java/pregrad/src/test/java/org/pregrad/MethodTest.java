package org.pregrad;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class MethodTest {
    /** C++'s own catalogue is held against the same header by CatalogTest. */
    @Test
    void hasTheNumbersOfCsHeader() throws IOException {
        String header = Files.readString(Fixtures.folder().resolve("../../native/include/pregrad/pregrad.h"));
        Map<String, Integer> inC = new LinkedHashMap<>();
        Matcher constant = Pattern.compile("\\bPREGRAD_METHOD_(\\w+) = (\\d+)").matcher(header);
        while (constant.find()) {
            inC.put(constant.group(1), Integer.valueOf(constant.group(2)));
        }

        Map<String, Integer> inJava = new LinkedHashMap<>();
        for (Method method : Method.values()) {
            inJava.put(method.name(), method.ordinal());
            assertEquals(method.name().toLowerCase(Locale.ROOT).replace('_', '-'), method.id());
        }
        assertEquals(inC, inJava);
    }
}
