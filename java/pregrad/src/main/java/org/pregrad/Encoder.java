package org.pregrad;

import java.util.List;
import org.pregrad.internal.OptionsWriter;

/** Packs Java values for native code. */
final class Encoder {
    private Encoder() {}

    static List<OptionsWriter> constants(List<NeuronConstants> list) {
        return list.stream()
                .map(constants -> {
                    OptionsWriter packed = new OptionsWriter()
                            .add("layer", constants.layer())
                            .add("call", constants.call())
                            .add("values", constants.values());
                    constants.cluster().ifPresent(cluster -> packed.add("cluster", new long[] {cluster}));
                    return packed;
                })
                .toList();
    }

    static List<OptionsWriter> orders(List<RemovalOrder> list) {
        return list.stream()
                .map(order -> new OptionsWriter()
                        .add("layer", order.layer())
                        .add("call", order.call())
                        .add("cluster", order.cluster())
                        .add("method", order.method().id())
                        .add("aggregate", order.aggregate().id())
                        .add("repeat", order.repeat())
                        .add("neurons", order.neurons())
                        .add("keep", order.keep()))
                .toList();
    }

    static List<OptionsWriter> scores(List<Score> list) {
        return list.stream()
                .map(score -> {
                    OptionsWriter packed = new OptionsWriter()
                            .add("layer", score.layer())
                            .add("call", score.call())
                            .add("cluster", score.cluster())
                            .add("method", score.method().id())
                            .add("count", score.count())
                            .add("mean", score.mean())
                            .add("meanAbs", score.meanAbs())
                            .add("rms", score.rms())
                            .add("std", score.std());
                    score.position().ifPresent(position -> packed.add("position", new long[] {position}));
                    return packed;
                })
                .toList();
    }
}
