package org.pregrad.cli.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** All that decides the result of a run, as JSON: two runs of the same key give the same bytes. */
public final class RunKey {
    /** Of the folder of an unfinished run; another PreGrad may keep its state differently. */
    private static final int FORMAT = 1;

    private final byte[] text;

    /**
     * @param versions of what runs
     * @param options  their values by name
     * @param files    digests of what is read, by role; values may be null
     */
    public RunKey(Map<String, String> versions, Map<String, Object> options, Map<String, FileDigest> files) {
        Map<String, Object> key = new LinkedHashMap<>();
        key.put("format", FORMAT);
        key.put("versions", versions);
        key.put("options", options);
        // The same bytes under another name are the same data.
        files.forEach((role, file) -> key.put(role, file == null ? null : file.sha256()));
        try {
            text = Json.writer().writeValueAsBytes(key);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    byte[] text() {
        return text.clone();
    }

    byte[] digest() {
        return FileDigest.sha256(text);
    }

    /** The names of what differs from another key; never empty unless they are the same. */
    Set<String> differences(byte[] other) {
        Set<String> names = new TreeSet<>();
        try {
            JsonMapper mapper = new JsonMapper();
            collect(mapper.readTree(text), mapper.readTree(other), names);
        } catch (IOException e) {
            // It is damaged.
            names.add("format");
        }
        return names;
    }

    private static void collect(JsonNode left, JsonNode right, Set<String> names) {
        Set<String> fields = new TreeSet<>();
        left.fieldNames().forEachRemaining(fields::add);
        right.fieldNames().forEachRemaining(fields::add);
        for (String field : fields) {
            JsonNode ours = left.path(field);
            JsonNode theirs = right.path(field);
            if (ours.equals(theirs)) {
                continue;
            }
            if ("options".equals(field)) {
                collect(ours, theirs, names);
            } else {
                names.add(field.replace('_', ' '));
            }
        }
    }
}
