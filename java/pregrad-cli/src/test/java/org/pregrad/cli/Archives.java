package org.pregrad.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** Archives of torch.export as records by name, to write them again with some of them changed. */
final class Archives {
    private static final String PROGRAM = "models/model.json";

    private Archives() {}

    static Map<String, byte[]> read(Path archive) throws IOException {
        Map<String, byte[]> records = new LinkedHashMap<>();
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                records.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
        return records;
    }

    /** The name of the record that holds the program. */
    static String program(Map<String, byte[]> records) {
        return records.keySet().stream()
                .filter(name -> name.endsWith(PROGRAM))
                .findFirst()
                .orElseThrow();
    }

    static void write(Map<String, byte[]> records, Path archive) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
            for (Map.Entry<String, byte[]> record : records.entrySet()) {
                zip.putNextEntry(stored(record.getKey(), record.getValue()));
                zip.write(record.getValue());
            }
        }
    }

    private static ZipEntry stored(String name, byte[] bytes) {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes.length);
        CRC32 sum = new CRC32();
        sum.update(bytes);
        entry.setCrc(sum.getValue());
        return entry;
    }
}
