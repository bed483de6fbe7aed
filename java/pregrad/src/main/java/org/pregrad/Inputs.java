package org.pregrad;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.pregrad.internal.Text;

/**
 * What goes into a model at once: inputs by the names that {@link Model#inputs()} lists, [N, ...], axis 0 of each being the
 * batch, but for shared ones. Optional ones may be left out. A plain value: {@link #and} gives a new one.
 *
 * <pre>{@code
 * Inputs requests = Inputs.of("input_ids", Input.of(tokens, n, 32)).and("attention_mask", Input.of(mask, n, 32));
 * }</pre>
 *
 * <p>Like an {@link Input} it shows the memory of the caller, which must not be changed while it is in use, and may be used
 * many times and by many threads.
 */
public final class Inputs {
    private final List<Named> inputs;
    private final byte[] names;

    private record Named(String name, Input input, boolean isShared) {}

    private Inputs(List<Named> inputs) {
        this.inputs = inputs;
        this.names = Text.terminated(inputs.stream().map(Named::name).toList());
    }

    /**
     * {@return the only input of a model, whatever it is called}
     *
     * @param only [N, ...]
     */
    public static Inputs of(Input only) {
        return new Inputs(List.of(new Named("", Objects.requireNonNull(only, "input"), false)));
    }

    /**
     * {@return one input by its name}
     *
     * @param name as {@link Model#inputs()} gives it
     * @param input [N, ...]
     * @throws ArgumentException if the name is empty
     */
    public static Inputs of(String name, Input input) {
        return new Inputs(List.of()).with(name, input, false);
    }

    /**
     * {@return inputs by their names}
     *
     * @param inputs [N, ...] each, by the names that {@link Model#inputs()} gives
     * @throws ArgumentException if there is none, or a name is empty
     */
    public static Inputs of(Map<String, Input> inputs) {
        if (inputs.isEmpty()) {
            throw new ArgumentException("there is no input: give one for each name of Model.inputs()");
        }
        Inputs all = new Inputs(List.of());
        for (Map.Entry<String, Input> each : inputs.entrySet()) {
            all = all.with(each.getKey(), each.getValue(), false);
        }
        return all;
    }

    /**
     * {@return these inputs and one more}
     *
     * @param name as {@link Model#inputs()} gives it
     * @param input [N, ...]
     * @throws ArgumentException if the name is empty or there already, or the input before has none
     */
    public Inputs and(String name, Input input) {
        return with(name, input, false);
    }

    /**
     * {@return these inputs and one without a batch axis, which is the same for all samples: an adjacency, a vocabulary}
     *
     * @param name as {@link Model#inputs()} gives it
     * @param input [...]
     * @throws ArgumentException if the name is empty or there already, or the input before has none
     */
    public Inputs andShared(String name, Input input) {
        return with(name, input, true);
    }

    private Inputs with(String name, Input input, boolean isShared) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(input, "input");
        if (name.isEmpty() || name.indexOf('\0') >= 0) {
            throw new ArgumentException("'" + name.replace('\0', '?') + "' is no name of an input: give one that "
                    + "Model.inputs() lists");
        }
        for (Named each : inputs) {
            if (each.name.isEmpty()) {
                throw new ArgumentException(
                        "the input before '" + name + "' has no name: begin with Inputs.of(name, input)");
            }
            if (each.name.equals(name)) {
                throw new ArgumentException("there are two inputs named '" + name + "': name each once");
            }
        }
        List<Named> all = new ArrayList<>(inputs);
        all.add(new Named(name, input, isShared));
        return new Inputs(List.copyOf(all));
    }

    /** Two sets of inputs with a label in front of each name; either may be null. */
    static Inputs labelled(String label, Inputs inputs, String otherLabel, Inputs others) {
        List<Named> all = new ArrayList<>();
        if (inputs != null) {
            inputs.inputs.forEach(each -> all.add(new Named(label + each.name, each.input, each.isShared)));
        }
        if (others != null) {
            others.inputs.forEach(each -> all.add(new Named(otherLabel + each.name, each.input, each.isShared)));
        }
        return new Inputs(List.copyOf(all));
    }

    /** What takes inputs across to native code, in the words of {@link org.pregrad.internal.Native}. */
    interface Use<R> {
        R apply(byte[] names, Object[] data, long[] layout);
    }

    /** Runs `use` without labels and clusters. */
    <R> R use(Use<R> use) {
        return use(null, null, use);
    }

    /**
     * Runs `use` and keeps the memory behind these inputs, and what stands beside them, alive as long.
     *
     * @param labels may be null
     * @param clusters may be null
     */
    <R> R use(Input labels, Input clusters, Use<R> use) {
        Object[] data = new Object[inputs.size() + 2];
        int size = Input.described(labels) + Input.described(clusters);
        for (Named each : inputs) {
            size += Input.described(each.input);
        }
        long[] layout = new long[size];
        int element = 0;
        int end = 0;
        try {
            for (Named each : inputs) {
                end = Input.describe(each.input, each.isShared, data, element++, layout, end);
            }
            end = Input.describe(labels, false, data, element++, layout, end);
            Input.describe(clusters, false, data, element, layout, end);
            return use.apply(names, data, layout);
        } finally {
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(labels);
            Reference.reachabilityFence(clusters);
        }
    }

    /** {@return the names, e.g. {@code input_ids, attention_mask}; empty for an input without one} */
    @Override
    public String toString() {
        return inputs.stream().map(Named::name).collect(Collectors.joining(", "));
    }
}
