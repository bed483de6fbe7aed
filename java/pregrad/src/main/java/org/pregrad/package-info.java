/**
 * Which hidden neurons of a trained network matter for this group of inputs.
 *
 * <p>PreGrad computes ∂y/∂z, the derivative of a model output y by the <em>pre-activation</em> z of hidden neurons,
 * per sample, sums it up per cluster of samples, and ranks neurons. All mathematics happens in native code on
 * LibTorch; these classes hand a whole batch to it in one call and hand scores back.
 *
 * <pre>{@code
 * try (Model model = Model.load(Path.of("digits-cnn.pt"))) {
 *     for (Layer layer : model.layers(1, 1, 8, 8)) System.out.println(layer);
 *     try (Attribution attribution = model.attribution()
 *             .layers("relu").methods(Method.GRADIENT, Method.GRADIENT_X_ACTIVATION).open()) {
 *         attribution.add(Input.of(values, samples, 1, 8, 8), labels, clusters);
 *         Scores scores = attribution.scores();
 *         double[] mean = scores.of("relu@1", 3, Method.GRADIENT).mean();
 *     }
 * }
 * }</pre>
 *
 * <p>A model of several inputs takes them by name, and one with padding says by a mask what counts:
 *
 * <pre>{@code
 * try (Model model = Model.load(Path.of("bert.pt2"));
 *         Attribution attribution = model.attribution().layers("*.mlp.act").mask("attention_mask").open()) {
 *     attribution.add(Inputs.of("input_ids", Input.of(tokens, n, length))
 *             .and("attention_mask", Input.of(mask, n, length)), labels, labels);
 *     Scores perClass = attribution.scores();
 * }
 * }</pre>
 *
 * <p>An {@link org.pregrad.Ablation} proves the scores: it removes neurons in their order and measures what is left of the
 * model. A {@link org.pregrad.Check} compares the gradients with finite differences.
 *
 * <h2>Words</h2>
 * <ul>
 *   <li><b>layer</b>: one activation call site, with its pre-activation z and its activation a = φ(z). Its name is the
 *       path of the module in whose {@code forward} the activation runs; the root's is {@code forward}.</li>
 *   <li><b>call</b>: the how-manieth execution of the same module in one forward, from 0, written {@code relu@1}. A name
 *       without a call means all of its calls.</li>
 *   <li><b>neuron</b>: one index along z's neuron axis: the last axis after Linear and LayerNorm, axis 1 (the channel)
 *       after convolution and BatchNorm. The other axes but the batch are its positions.</li>
 *   <li><b>target</b>: which output y is taken per sample: {@link org.pregrad.Target}.</li>
 *   <li><b>position</b>: one index along the axes of z, or of the output, that are neither batch nor neuron (output): a
 *       token, a step, a pixel. {@link org.pregrad.At} says where y is read.</li>
 *   <li><b>mask</b>: an input that says which positions of a sample count.</li>
 *   <li><b>cluster</b>: an integer per sample; scores are aggregated inside each.</li>
 *   <li><b>removal</b>: setting a neuron's activation to a constant at all positions:
 *       {@link org.pregrad.Removal}.</li>
 * </ul>
 *
 * <h2>Threads, memory, errors</h2>
 * <p>A {@link org.pregrad.Model}, an {@link org.pregrad.Attribution}, an {@link org.pregrad.Ablation}, a
 * {@link org.pregrad.Check} and a {@link org.pregrad.Probe} serve any number of threads at once. They hold native memory:
 * close them. {@code close()} may be called twice, and waits for threads that still compute; what is called afterwards
 * throws {@link java.lang.IllegalStateException}. {@link org.pregrad.Scores} and {@link org.pregrad.RemovalCurve} are
 * plain values and outlive everything.
 *
 * <p>Every failure is a {@link org.pregrad.PreGradException} whose message is one line: what is wrong, with the value,
 * and how to mend it. Native memory that runs out is a {@link java.lang.OutOfMemoryError}; a device without memory, or one
 * that breaks, is a {@link org.pregrad.DeviceException}. A call that takes too long, is cancelled, or whose thread is
 * interrupted ends with a {@link org.pregrad.CancelledException}.
 *
 * <h2>System properties</h2>
 * <ul>
 *   <li>{@code pregrad.libtorch}: a folder of a LibTorch of your own ({@code DIR} or {@code DIR/lib}), used instead of
 *       the one that the JavaCPP presets carry.</li>
 *   <li>{@code pregrad.library}: a folder with {@code libpregrad.so} and {@code libpregrad_boot.so}, used instead of
 *       those in the jar.</li>
 *   <li>{@code pregrad.cache}: the folder into which the libraries of the jar are unpacked; by default
 *       {@code pregrad} in the user's cache folder.</li>
 *   <li>{@code pregrad.isolation.classpath}: the class path of the process of an
 *       {@linkplain org.pregrad.Model.Options#isolated() isolated} model; by default that of this one.</li>
 * </ul>
 */
package org.pregrad;
