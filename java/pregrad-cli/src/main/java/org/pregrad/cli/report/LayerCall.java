package org.pregrad.cli.report;

/** One call of a layer. */
record LayerCall(String layer, long call) {
    /** As {@code --layer} takes it. */
    String label() {
        return layer + "@" + call;
    }
}
