package org.pregrad;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.pregrad.internal.Calls;
import org.pregrad.internal.CallsHere;
import org.pregrad.internal.Handle;
import org.pregrad.internal.OptionsWriter;
import org.pregrad.internal.Text;
import org.pregrad.internal.isolation.IsolatedCalls;
import org.pregrad.internal.isolation.Limits;

/**
 * A model in evaluation mode with its activations found, from an archive of {@code torch.export.save} or a TorchScript
 * file.
 *
 * <p>One model serves any number of threads at once. Close it: {@link #close()} waits for threads that still compute,
 * and may be called twice. An {@link Attribution}, an {@link Ablation} or a {@link Check} that is still open goes
 * on working after its model was closed. Whatever else is called afterwards throws {@link IllegalStateException}.
 */
public final class Model implements AutoCloseable {
    private final Handle handle;

    private Model(Handle handle) {
        this.handle = handle;
    }

    /**
     * {@return the model in a file, on the processor}
     *
     * @param file a {@code .pt2} archive of torch.export, or a TorchScript file, scripted or traced; what it is shows its
     *     content, not its name
     * @throws ModelException if the file cannot be read or is no model
     * @throws UnsupportedModelException if it cannot be attributed
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static Model load(Path file) {
        return load(file, Device.cpu());
    }

    /**
     * {@return the model in a file}
     *
     * @param file a {@code .pt2} archive of torch.export, or a TorchScript file, scripted or traced; what it is shows its
     *     content, not its name
     * @param device where it shall run
     * @throws ModelException if the file cannot be read or is no model
     * @throws UnsupportedModelException if it cannot be attributed
     * @throws DeviceException if there is no such device, or it has too little memory
     * @throws PreGradException if the native libraries cannot be loaded
     */
    public static Model load(Path file, Device device) {
        return load(file, Options.defaults().device(device));
    }

    /**
     * {@return the model in a file}
     *
     * @param file a {@code .pt2} archive of torch.export, or a TorchScript file, scripted or traced; what it is shows its
     *     content, not its name
     * @param options where it shall run, whether its file is trusted, and how long loading and each call may take
     * @throws ModelException if the file cannot be read, is no model, or has operators that only a trusted one may have,
     *     or an isolated model's process ended
     * @throws UnsupportedModelException if it cannot be attributed
     * @throws DeviceException if there is no such device, or it has too little memory
     * @throws CancelledException if loading takes longer than the time limit, or its thread is interrupted
     * @throws ArgumentException if the options do not fit together
     * @throws PreGradException if the native libraries cannot be loaded, or no process be started
     */
    public static Model load(Path file, Options options) {
        byte[] path = Text.path(file);
        byte[] packed = options.packed();
        String text = "Model " + file;
        if (options.isIsolated) {
            return new Model(IsolatedCalls.load(path, packed, text, options.limits()));
        }
        if (options.memoryLimit.isPresent()) {
            throw new ArgumentException("a limit on memory needs a process that can be ended: add isolated()");
        }
        CallsHere.HERE.prepare(0);
        return new Model(new Handle(CallsHere.HERE, CallsHere.HERE.loadModel(path, packed), text));
    }

    /**
     * How a model is loaded, and how long its calls may take. Options do not change: each method gives new ones, so that one
     * of them may serve any number of models and threads.
     */
    public static final class Options {
        private static final Options DEFAULTS =
                new Options(Device.cpu(), false, Duration.ZERO, false, OptionalLong.empty());

        private final Device device;
        private final boolean trusted;
        private final Duration timeLimit;
        private final boolean isIsolated;
        private final OptionalLong memoryLimit;

        private Options(
                Device device, boolean trusted, Duration timeLimit, boolean isIsolated, OptionalLong memoryLimit) {
            this.device = Objects.requireNonNull(device, "device");
            this.trusted = trusted;
            this.timeLimit = timeLimit;
            this.isIsolated = isIsolated;
            this.memoryLimit = memoryLimit;
        }

        /** {@return a model on the processor whose file nobody vouches for, and calls that take as long as they take} */
        public static Options defaults() {
            return DEFAULTS;
        }

        /**
         * {@return these options with another device}
         *
         * @param value where the model shall run, by default the processor
         */
        public Options device(Device value) {
            return new Options(value, trusted, timeLimit, isIsolated, memoryLimit);
        }

        /**
         * {@return these options for a file that somebody vouches for} The operators of a TorchScript file may then reach
         * outside of the model: files, processes, the network, printing, devices and threads. Sizes and depths are looked
         * at all the same. An archive of torch.export is data, trusted or not.
         */
        public Options trusted() {
            return new Options(device, true, timeLimit, isIsolated, memoryLimit);
        }

        /**
         * {@return these options with another time limit}
         *
         * @param value the longest that loading and each call may take, looked at between two operators, where the call ends
         *     with a {@link CancelledException}; a single one is not cut, but where that of an
         *     {@linkplain #isolated() isolated} model goes on for 2 seconds more its process is ended, and the call is a
         *     {@link ModelException}; {@link Duration#ZERO}, the default, for no limit
         * @throws ArgumentException if it is negative
         */
        public Options timeLimit(Duration value) {
            if (value.isNegative()) {
                throw new ArgumentException("the time limit " + value + " is negative: give how long a call may take");
            }
            return new Options(device, trusted, value, isIsolated, memoryLimit);
        }

        /**
         * {@return these options with the model in a process of its own, a child of this one} What the file makes LibTorch do
         * then ends that process at worst: the call that runs, and all later ones of this model, are a
         * {@link ModelException} that says how it ended, and everything else goes on. The process ends with the model and
         * what was opened of it, or with this program, however that ends.
         *
         * <p>It is no sandbox: the process may do what this one may. A call costs some 0.1 ms more, and the time that its
         * inputs take through a pipe, some ms per MB. Tensors of JavaCPP are refused.
         */
        public Options isolated() {
            return new Options(device, trusted, timeLimit, true, memoryLimit);
        }

        /**
         * {@return these options with a limit on the memory of an isolated model's process} By default there is none of its
         * own, but where the machine or the container runs out, that process is the first that the system ends.
         *
         * @param bytes of memory that it may write to, without the GPU's; the process itself and LibTorch take about 1 GiB
         * @throws ArgumentException if it is less than 2 GiB
         */
        public Options memoryLimit(long bytes) {
            if (bytes < Limits.LEAST_MEMORY) {
                throw new ArgumentException("memory limit " + bytes + " is less than " + Limits.LEAST_MEMORY
                        + " bytes, which a process with LibTorch needs: give more");
            }
            return new Options(device, trusted, timeLimit, isIsolated, OptionalLong.of(bytes));
        }

        private Limits limits() {
            return new Limits(memoryLimit, timeLimit.isZero() ? Optional.empty() : Optional.of(timeLimit));
        }

        private byte[] packed() {
            return new OptionsWriter()
                    .add("device", device.toString())
                    .add("trusted", trusted)
                    .add("timeLimit", milliseconds(timeLimit))
                    .bytes();
        }

        /** Rounded up, as 0 is no limit. */
        private static long milliseconds(Duration duration) {
            Duration longest = Duration.ofMillis(Integer.MAX_VALUE);
            return duration.compareTo(longest) > 0
                    ? Integer.MAX_VALUE
                    : duration.plusNanos(999_999).toMillis();
        }
    }

    /**
     * {@return what goes into the model, in the order of its forward}
     *
     * @throws IllegalStateException if the model is closed
     */
    public List<ModelInput> inputs() {
        return handle.use((calls, id) -> Decoder.inputs(calls.modelInputs(id)));
    }

    /**
     * {@return the activation call sites as the graph shows them; shapes, and calls in loops, are known only after a run}
     *
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers() {
        return handle.use((calls, id) -> Decoder.layers(calls.layers(id)));
    }

    /**
     * {@return the activation calls in the order in which they run for an input of zeros, with shapes}
     *
     * @param inputShape [N, ...]; the type is that of the model's weights
     * @throws InputException if the shape does not fit the model
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers(long... inputShape) {
        Objects.requireNonNull(inputShape, "inputShape");
        return handle.use((calls, id) -> Decoder.layers(calls.layersOfShape(id, inputShape)));
    }

    /**
     * {@return the activation calls in the order in which they run for that input, with shapes}
     *
     * @param example [N, ...]
     * @throws InputException if the example does not fit the model
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers(Input example) {
        return example.use((source, data, offset, shape) ->
                handle.use((calls, id) -> Decoder.layers(calls.layersOfInput(id, source, data, offset, shape))));
    }

    /**
     * {@return the activation calls in the order in which they run for those inputs, with shapes}
     *
     * @param example [N, ...] each
     * @throws InputException if the example does not fit the model
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers(Inputs example) {
        return example.use((names, data, layout) ->
                handle.use((calls, id) -> Decoder.layers(calls.layersOfInputs(id, names, data, layout))));
    }

    /**
     * {@return the calls of the layers that the names stand for, in the order in which they run for those inputs}
     *
     * @param names as in {@link #layers(List, Input)}
     * @param example [N, ...] each
     * @throws LayerException if a name fits nothing
     * @throws InputException if the example does not fit the model
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers(List<String> names, Inputs example) {
        byte[] list = Text.terminated(names);
        return example.use((inputs, data, layout) ->
                handle.use((calls, id) -> Decoder.layers(calls.namedLayersOfInputs(id, inputs, data, layout, list))));
    }

    /**
     * {@return the calls of the layers that the names stand for, in the order in which they run for that input}
     *
     * @param names as {@link Attribution.Builder#layers} takes them: {@code all} is every activation, {@code *:out} what
     *     leaves every module
     * @param example [N, ...]
     * @throws LayerException if a name fits nothing
     * @throws InputException if the example does not fit the model
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers(List<String> names, Input example) {
        byte[] list = Text.terminated(names);
        return example.use((source, data, offset, shape) -> handle.use(
                (calls, id) -> Decoder.layers(calls.namedLayersOfInput(id, source, data, offset, shape, list))));
    }

    /**
     * {@return the calls of the layers that the names stand for, in the order in which they run for an input of zeros}
     *
     * @param names as in {@link #layers(List, Input)}
     * @param inputShape [N, ...]; the type is that of the model's weights
     * @throws LayerException if a name fits nothing
     * @throws InputException if the shape does not fit the model
     * @throws IllegalStateException if the model is closed
     */
    public List<Layer> layers(List<String> names, long... inputShape) {
        Objects.requireNonNull(inputShape, "inputShape");
        byte[] list = Text.terminated(names);
        return handle.use((calls, id) -> Decoder.layers(calls.namedLayersOfShape(id, inputShape, list)));
    }

    /**
     * {@return the model's output, [N, outputs] or [N, positions..., outputs]; of several the one that
     * {@link TargetBuilder#outputName} takes by default}
     *
     * @param input [N, ...]
     * @throws InputException if the input does not fit the model
     * @throws DeviceException if it does not fit into the device's memory, or the device broke
     * @throws IllegalStateException if the model is closed
     */
    public Outputs forward(Input input) {
        return input.use((source, data, offset, shape) ->
                handle.use((calls, id) -> Decoder.output(calls.forward(id, source, data, offset, shape))));
    }

    /**
     * {@return the model's output for several inputs, as {@link #forward(Input)}}
     *
     * @param inputs [N, ...] each
     * @throws InputException if the inputs do not fit the model
     * @throws DeviceException if they do not fit into the device's memory, or the device broke
     * @throws IllegalStateException if the model is closed
     */
    public Outputs forward(Inputs inputs) {
        return inputs.use((names, data, layout) ->
                handle.use((calls, id) -> Decoder.output(calls.forwardInputs(id, names, data, layout))));
    }

    /**
     * {@return all that the model's forward gives, by name and in its order: what is in a container is named {@code logits},
     * {@code 0}, {@code detections.boxes}, a tensor alone has the empty name}
     *
     * @param inputs [N, ...] each
     * @throws InputException if the inputs do not fit the model
     * @throws DeviceException if they do not fit into the device's memory, or the device broke
     * @throws IllegalStateException if the model is closed
     */
    public Map<String, Outputs> outputs(Inputs inputs) {
        return inputs.use((names, data, layout) ->
                handle.use((calls, id) -> Decoder.outputs(calls.outputs(id, names, data, layout))));
    }

    /**
     * {@return this model with the elements of each floating-point weight, running statistics included, in an order drawn by
     * the seed} Its values, mean and deviation stay, what was learned goes: scores that tell what a model has learned rank
     * its neurons otherwise. Close it too.
     *
     * @param seed the same seed gives the same weights, whatever the model's file is
     * @throws UnsupportedModelException if the model has no such weight
     * @throws IllegalStateException if the model is closed
     */
    public Model randomised(long seed) {
        return handle.use(
                (calls, id) -> new Model(new Handle(calls, calls.randomised(id, seed), "Randomised " + handle)));
    }

    /**
     * Ends what runs on this model at the moment, in whatever thread, attributions, ablations and checks of it too: between
     * two operators those calls throw {@link CancelledException}. Calls that begin later run. So does an interrupt end the
     * call of the thread that is interrupted, once it has run for some milliseconds; the thread stays interrupted.
     *
     * @throws IllegalStateException if the model is closed
     */
    public void cancel() {
        handle.run(Calls::cancelModel);
    }

    /** {@return what collects the options of an attribution of this model} */
    public Attribution.Builder attribution() {
        return new Attribution.Builder(this);
    }

    /** {@return what collects the options of removal curves of this model} */
    public Ablation.Builder ablation() {
        return new Ablation.Builder(this);
    }

    /** {@return what collects the options of a check of this model's gradients} */
    public Check.Builder check() {
        return new Check.Builder(this);
    }

    /** {@return what collects which neurons of this model go, with the weights that they have} */
    public Pruning.Builder pruning() {
        return new Pruning.Builder(this);
    }

    Pruning open(Pruning.Builder options) {
        return handle.use(
                (calls, id) -> new Pruning(calls, calls.pruning(id, options.packed()), "Pruning of " + handle));
    }

    Attribution open(Attribution.Builder options) {
        byte[] packed = options.packed();
        String text = "Attribution of " + handle;
        return options.useInputs(
                (source, data, offset, shape) -> handle.use((calls, id) ->
                        new Attribution(calls, calls.attribution(id, packed, source, data, offset, shape), text)),
                (names, data, layout) -> handle.use((calls, id) ->
                        new Attribution(calls, calls.attributionFromInputs(id, packed, names, data, layout), text)));
    }

    Ablation open(Ablation.Builder options) {
        return handle.use(
                (calls, id) -> new Ablation(calls, calls.ablation(id, options.packed()), "Ablation of " + handle));
    }

    Check open(Check.Builder options) {
        return handle.use((calls, id) -> new Check(calls, calls.check(id, options.packed()), "Check of " + handle));
    }

    /** Gives the native memory back, as soon as no thread computes with it any more. */
    @Override
    public void close() {
        handle.close();
    }

    @Override
    public String toString() {
        return handle.toString();
    }
}
