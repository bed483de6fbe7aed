package org.pregrad;

import java.util.List;

/**
 * What removing neurons costs and saves, over all samples that were added. What is not known is NaN.
 *
 * @param samples how many samples were added
 * @param neurons those that go, per layer call
 * @param open why no weight can be cut, by operator and place; empty where the plan is closed under dependence
 * @param cuts by the weights' names and axes; empty where the plan is open
 * @param accuracy share of the samples whose largest output is their label's, of the model as it is; NaN without labels
 * @param accuracyAtZero the same with the activations of the neurons at zero
 * @param prunedAccuracy the same of the pruned model; NaN where the plan is open
 * @param difference the largest difference between outputs of the pruned model and of the one with activations at zero,
 *     relative to the largest of these; NaN where the plan is open
 * @param multiplyAdds per sample, of linear layers, convolutions, products of matrices and attention outside of loops and
 *     branches
 * @param prunedMultiplyAdds the same of the pruned model; -1 where the plan is open
 * @param parameters floating-point numbers in the state dict
 * @param prunedParameters the same of the pruned model
 */
public record PruningResult(
        long samples,
        List<PrunedNeurons> neurons,
        String open,
        List<WeightCut> cuts,
        double accuracy,
        double accuracyAtZero,
        double prunedAccuracy,
        double difference,
        long multiplyAdds,
        long prunedMultiplyAdds,
        long parameters,
        long prunedParameters) {
    /** Copies the lists. */
    public PruningResult {
        neurons = List.copyOf(neurons);
        cuts = List.copyOf(cuts);
    }

    /** {@return whether all that depends on the neurons can go with them} */
    public boolean isClosed() {
        return open.isEmpty();
    }
}
