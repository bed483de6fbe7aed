package org.pregrad.benchmarks;

import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Model;
import org.pregrad.Scores;

/** A case with its model loaded and an attribution open. */
final class OpenCase implements AutoCloseable {
    private final BenchmarkCase one;
    private final Model model;
    private final Attribution attribution;

    OpenCase(BenchmarkCase one) {
        this.one = one;
        model = Model.load(one.model());
        attribution = one.open(model);
    }

    /** What adds the batch from a {@code float[]}. */
    Runnable array() {
        return one.adder(attribution, Input.of(one.inputs(), one.shape()));
    }

    /** What adds it from a direct buffer. */
    Runnable direct() {
        return one.adder(attribution, Input.of(one.directInputs(), one.shape()));
    }

    /** Those of all that was added. */
    Scores scores() {
        return attribution.scores();
    }

    @Override
    public void close() {
        attribution.close();
        model.close();
    }
}
