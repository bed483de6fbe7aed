package org.pregrad.cli.report;

import org.pregrad.Escapes;

/**
 * A call of a layer and a cluster.
 *
 * @param cluster an integer in decimal, or a name
 */
record PanelKey(LayerCall layer, String cluster) {
    String label() {
        return layer.label() + ", cluster " + Escapes.escaped(cluster);
    }
}
