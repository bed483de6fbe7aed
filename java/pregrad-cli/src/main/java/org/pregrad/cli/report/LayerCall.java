package org.pregrad.cli.report;

import org.pregrad.Escapes;

/** One call of a layer. */
record LayerCall(String layer, long call) {
    /** As {@code --layer} takes it. */
    String label() {
        return Escapes.escaped(layer) + "@" + call;
    }
}
