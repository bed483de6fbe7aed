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
    ACTIVATION("activation");

    private final String id;

    Method(String id) {
        this.id = id;
    }

    /** {@return the name used by the command and in files, e.g. {@code gradient-x-activation}} */
    public String id() {
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
