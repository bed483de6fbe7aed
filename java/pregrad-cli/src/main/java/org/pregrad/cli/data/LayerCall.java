package org.pregrad.cli.data;

/**
 * One call of a layer.
 *
 * @param layer   canonical name
 * @param call    from 0
 * @param neurons how many it has
 */
public record LayerCall(String layer, long call, int neurons) {
    /** E.g. {@code relu@1}. */
    public String id() {
        return layer + "@" + call;
    }
}
