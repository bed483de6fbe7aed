package org.pregrad;

/**
 * What became of one layer call in a {@link Check}. A unit is one sample and one neuron, positions summed.
 *
 * @param layer canonical name of the layer, as {@link Layer#name()} gives it
 * @param call the call, from 0
 * @param op the activation, e.g. {@code relu}
 * @param inDoublePrecision whether the model could be run in 64-bit floats
 * @param samples how many samples were added
 * @param neurons how many of the layer's neurons were compared
 * @param compared how many units were compared with finite differences
 * @param atKink how many units were left out because a kink of the model lies within the step: the two one-sided
 *     differences disagree there
 * @param gradientError ‖Σₚ∂y/∂zₚ − Δ‖ / ‖Δ‖ over the compared units, Δ the central difference of y by a shift of z; NaN
 *     if there are none
 * @param tolerance what the gradient's error may be: 1e-6 in 64-bit floats, 2e-2 in 32-bit floats
 * @param passed whether the gradient's error is within the tolerance and at least one unit was compared
 * @param hookError ‖Σₚ∂y/∂aₚ − Σₚ∂y/∂zₚ‖ / ‖Σₚ∂y/∂zₚ‖: the error of a backward hook on the activation, which gives ∂y/∂a
 * @param hookDiffers the share of the units in which that hook is off by more than a thousandth of the layer's largest
 *     |∂y/∂z|
 * @param cancellation the median over the neurons of |mean| / mean_abs of ∂y/∂z over all samples; NaN where all are 0
 */
public record LayerCheck(
        String layer,
        long call,
        String op,
        boolean inDoublePrecision,
        long samples,
        long neurons,
        long compared,
        long atKink,
        double gradientError,
        double tolerance,
        boolean passed,
        double hookError,
        double hookDiffers,
        double cancellation) {}
