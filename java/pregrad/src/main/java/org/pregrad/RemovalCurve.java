package org.pregrad;

/**
 * What is left of a model while neurons are removed one after the other. Each array has one value per point. A plain
 * value.
 */
public final class RemovalCurve {
    private final RemovalOrder order;
    private final long count;
    private final long outsideCount;
    private final int[] removed;
    private final double[] accuracy;
    private final double[] meanOutput;
    private final double[] crossEntropy;
    private final double[] outsideAccuracy;
    private final double area;
    private final double areaError;

    RemovalCurve(
            RemovalOrder order,
            long count,
            long outsideCount,
            int[] removed,
            double[] accuracy,
            double[] meanOutput,
            double[] crossEntropy,
            double[] outsideAccuracy,
            double area,
            double areaError) {
        this.order = order;
        this.count = count;
        this.outsideCount = outsideCount;
        this.removed = removed;
        this.accuracy = accuracy;
        this.meanOutput = meanOutput;
        this.crossEntropy = crossEntropy;
        this.outsideAccuracy = outsideAccuracy;
        this.area = area;
        this.areaError = areaError;
    }

    /** {@return the order in which the neurons were removed} */
    public RemovalOrder order() {
        return order;
    }

    /** {@return how many samples the cluster has} */
    public long count() {
        return count;
    }

    /** {@return how many samples the other clusters have} */
    public long outsideCount() {
        return outsideCount;
    }

    /** {@return how many neurons are removed: every count up to 128, else 129 evenly spaced; a copy} */
    public int[] removed() {
        return removed.clone();
    }

    /**
     * {@return the share of the cluster's samples whose largest output is their label's; NaN for models of one output; a
     * copy}
     */
    public double[] accuracy() {
        return accuracy.clone();
    }

    /** {@return the mean of the target's output y over the cluster's samples; a copy} */
    public double[] meanOutput() {
        return meanOutput.clone();
    }

    /**
     * {@return the mean of −log softmax of the outputs at the label over the cluster's samples, in nats; NaN for models of
     * one output; a copy}
     */
    public double[] crossEntropy() {
        return crossEntropy.clone();
    }

    /** {@return the accuracy over the samples of other clusters; NaN if there are none; a copy} */
    public double[] outsideAccuracy() {
        return outsideAccuracy.clone();
    }

    /**
     * {@return the area under the accuracy (under the mean output for a model of one output), by the trapezoid rule over
     * the removed share of the neurons in [0, 1]; lower means that the order finds what the model needs}
     */
    public double area() {
        return area;
    }

    /**
     * {@return the standard error of the area, the cluster's samples taken as drawn independently, which is what resampling
     * them with replacement comes to; NaN below two samples}
     */
    public double areaError() {
        return areaError;
    }

    /** {@return e.g. {@code relu@1, cluster 3, gradient mean 0: 16 neurons, 178 samples, area 0.11}} */
    @Override
    public String toString() {
        return order + ", " + count + " samples, area " + area;
    }
}
