package org.pregrad.cli.report;

/** A call of a layer and a cluster. */
record PanelKey(LayerCall layer, long cluster) {
    String label() {
        return layer.label() + ", cluster " + cluster;
    }
}
