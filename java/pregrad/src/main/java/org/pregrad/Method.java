package org.pregrad;

/**
 * What is computed per sample and neuron. Positions p (all axes of z but batch and neuron) are summed for the gradient
 * methods and averaged for the values. The result is one number per sample and neuron.
 */
public enum Method {
    /**
     * Σₚ ∂y/∂zₚ: the derivative of the output by a shift of the pre-activation, equal to the derivative by the
     * neuron's bias. Unit: output per pre-activation. The way this project started from.
     */
    GRADIENT("gradient"),
    /**
     * Σₚ zₚ·∂y/∂zₚ: the first-order effect of setting the pre-activation to 0. Unit: output. Gradient times input, taken
     * at a hidden layer (Shrikumar et al., arXiv:1605.01713).
     */
    GRADIENT_X_PREACTIVATION("gradient-x-preactivation"),
    /**
     * Σₚ aₚ·∂y/∂aₚ: the first-order effect of setting the activation to 0. Unit: output. The Taylor criterion of
     * Molchanov et al.; its mean_abs is arXiv:1611.06440, its rms arXiv:1906.10771.
     */
    GRADIENT_X_ACTIVATION("gradient-x-activation"),
    /** The mean of z over the positions; a baseline without a gradient. Unit: pre-activation. */
    PREACTIVATION("preactivation"),
    /** The mean of a = φ(z) over the positions; a baseline without a gradient. Unit: activation. */
    ACTIVATION("activation"),
    /**
     * Σₚ (aₚ − ā)·∂y/∂aₚ, ā the mean of a over the samples of all clusters and their positions: the first-order effect
     * of setting the activation to its mean. Unit: output. ā is known only at the end, so two numbers are kept per sample
     * and neuron.
     */
    GRADIENT_X_CENTRED_ACTIVATION("gradient-x-centred-activation"),
    /**
     * The share of the positions at which a &gt; 0; a baseline without a gradient. Unit: none. For ReLU it is 1 − APoZ
     * (Hu et al., arXiv:1607.03250).
     */
    ACTIVATION_RATE("activation-rate"),
    /**
     * Σₚ (aₚ − a′ₚ)·∫₀¹ ∂y/∂a(a′ + α(a − a′)) dα: the straight path in the space of this layer from the baseline a′
     * ({@link Baseline}). Unit: output. The scores of the neurons sum up to y(a) − y(a′) (Sundararajan et al.,
     * arXiv:1703.01365, applied to a hidden layer).
     */
    INTEGRATED_GRADIENTS("integrated-gradients"),
    /**
     * Σₚ ∫₀¹ ∂y/∂aₚ · daₚ/dα dα along the straight path from the input baseline to the input. Unit: output. Over the
     * neurons of a layer through which everything flows the scores sum up to y(x) − y(x′) (Dhamdhere et al.,
     * arXiv:1805.12233).
     */
    CONDUCTANCE("conductance"),
    /**
     * Σₚ ∫₀¹ ∂y/∂aₚ dα along the straight path from the input baseline to the input. Unit: output per activation (Leino
     * et al., arXiv:1802.03788).
     */
    INTERNAL_INFLUENCE("internal-influence"),
    /**
     * y − y with this one neuron removed ({@link Removal}): what the others approximate. Unit: output. Every neuron costs
     * a run of the model behind the layer.
     */
    ABLATION("ablation"),
    /** A number in [0, 1) drawn by the seed, the same for all samples: the floor that a method must beat. Unit: none. */
    RANDOM("random"),
    /**
     * Σₚ (aₚ − a′ₚ)·mₚ by the rescale rule of DeepLIFT, a′ the {@link Baseline}, m the multipliers from the output down to
     * the activation. Unit: output. The scores of the neurons sum up to y(a) − y(a′) (Shrikumar et al.,
     * arXiv:1704.02685).
     */
    DEEP_LIFT("deep-lift"),
    /**
     * The Shapley value of each neuron in the game of removing sets of neurons of this layer ({@link Removal}), by sampled
     * permutations. Unit: output. The scores of the neurons sum up to y(all) − y(none) (Ghorbani and Zou,
     * arXiv:2002.09815).
     */
    SHAPLEY("shapley"),
    /**
     * Integrated gradients whose baselines are the activations of reference samples, in expectation over these and the
     * path. Unit: output (Erion et al., arXiv:1906.10670).
     */
    EXPECTED_GRADIENTS("expected-gradients"),
    /**
     * Σₚ (aₚ of the corrupt inputs − aₚ)·∂y/∂aₚ: the first-order effect of patching. Unit: output (attribution patching,
     * arXiv:2310.10348).
     */
    GRADIENT_X_DIFFERENCE("gradient-x-difference"),
    /**
     * y with this neuron's activation taken from the run of the corrupt inputs − y: what the gradient times the difference
     * approximates. Unit: output. Every neuron costs a run of the model behind the layer.
     */
    PATCHING("patching");

    private final String id;

    Method(String id) {
        this.id = id;
    }

    /** {@return the name used by the command and in files, e.g. {@code gradient-x-activation}} */
    public String id() {
        return id;
    }

    /** {@return the same as {@link #id()}} */
    @Override
    public String toString() {
        return id;
    }

    /**
     * {@return the method of that name}
     *
     * @param id a name as {@link #id()} gives it
     * @throws ArgumentException if no method has that name
     */
    public static Method of(String id) {
        return Ids.find("method", values(), Method::id, id);
    }
}
