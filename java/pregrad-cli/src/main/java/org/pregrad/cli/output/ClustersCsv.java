package org.pregrad.cli.output;

import java.io.IOException;
import java.io.Writer;
import java.util.List;

/** {@code clusters.csv}: the cluster that was found for each sample. */
public final class ClustersCsv {
    public static final String FILE = "clusters.csv";

    private ClustersCsv() {}

    public static void write(long[] clusters, Writer to) throws IOException {
        CsvRow.write(to, List.of("sample", "cluster"));
        for (int sample = 0; sample < clusters.length; sample++) {
            to.append(sample + "," + clusters[sample] + "\n");
        }
    }
}
