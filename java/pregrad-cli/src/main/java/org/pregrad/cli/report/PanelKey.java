package org.pregrad.cli.report;

import org.pregrad.cli.output.ClusterNames;

/** A call of a layer and a cluster. */
record PanelKey(LayerCall layer, long cluster) {
    String label() {
        return layer.label() + ", cluster " + cluster;
    }

    String label(ClusterNames names) {
        return layer.label() + ", cluster " + names.name(cluster);
    }
}
