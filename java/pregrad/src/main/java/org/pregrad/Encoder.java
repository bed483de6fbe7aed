package org.pregrad;

import java.util.List;
import org.pregrad.internal.RecordWriter;

/** Packs Java values for native code. */
final class Encoder {
    private Encoder() {}

    static void constants(List<NeuronConstants> list, RecordWriter records) {
        records.add(list.size());
        for (NeuronConstants constants : list) {
            records.add(constants.layer());
            records.add(constants.call());
            records.add(constants.cluster().isPresent() ? 1 : 0);
            records.add(constants.cluster().orElse(0));
            records.add(constants.values());
        }
    }

    static void orders(List<RemovalOrder> list, RecordWriter records) {
        records.add(list.size());
        for (RemovalOrder order : list) {
            records.add(order.layer());
            records.add(order.call());
            records.add(order.cluster());
            records.add(order.method().ordinal());
            records.add(order.aggregate().ordinal());
            records.add(order.repeat());
            records.add(order.neurons());
        }
    }
}
