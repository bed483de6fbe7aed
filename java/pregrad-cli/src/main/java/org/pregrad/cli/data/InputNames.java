package org.pregrad.cli.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.pregrad.ModelInput;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayFile;

/**
 * Which arrays of the data go into which inputs of the model.
 *
 * @param entries what the user named; empty where arrays bear the names of inputs
 * @param shared  names of inputs without a batch axis, or of the arrays that go into them
 * @param mask    the input, else the array, that tells which positions count; null if all do
 */
public record InputNames(List<Entry> entries, List<String> shared, String mask) {
    /** The array that goes into the only input of a model, whatever that is called. */
    public static final String DEFAULT = "x";

    /** The name of the only input of a model. */
    static final String ONLY = "";

    private static final String ANY = "*";

    /** No names: the arrays bear those of inputs. */
    public static InputNames byName() {
        return new InputNames(List.of(), List.of(), null);
    }

    /** @param input the model's name of it; null for the array's, or the only one's */
    public record Entry(String input, String array) {
        @Override
        public String toString() {
            return input == null || input.equals(array) ? array : input + "=" + array;
        }
    }

    /** @param input the model's name of it; {@link #ONLY} where it has no other */
    record Bound(String input, String array, boolean shared) {}

    /** @throws UserException if an entry fits no input of the model, or two the same */
    void requireInputsOf(List<ModelInput> inputs) {
        Set<String> seen = new HashSet<>();
        for (Entry entry : entries) {
            Entry named = named(entry, inputs);
            if (!seen.add(named.input())) {
                throw new UserException(
                        "--inputs names two arrays for the model's input '" + named.input() + "'; give one");
            }
        }
    }

    /**
     * The arrays for the model's inputs, by the inputs' names.
     *
     * @throws UserException if a needed input has none, or nothing is shared that should be
     */
    List<Bound> bind(List<ModelInput> inputs, ArrayFile file) {
        List<Entry> chosen = entries.isEmpty()
                ? byName(inputs, file)
                : entries.stream().map(entry -> named(entry, inputs)).toList();
        for (ModelInput input : inputs) {
            if (!input.optional() && chosen.stream().noneMatch(entry -> fits(input, entry.input()))) {
                throw new UserException("there is no array for the model's input '" + input.name() + "'; it holds "
                        + listed(file.names()) + "; name one by --inputs " + input.name() + "=ARRAY");
            }
        }
        requireShared(chosen);
        boolean alone = inputs.size() <= 1 && only(inputs).isPresent() && chosen.size() == 1 && mask == null;
        return chosen.stream()
                .map(entry -> new Bound(alone ? ONLY : entry.input(), entry.array(), isShared(entry)))
                .toList();
    }

    /** Names of inputs as messages list them. */
    public static String listed(List<String> names) {
        return names.isEmpty() ? "no arrays" : String.join(", ", names);
    }

    private static List<Entry> byName(List<ModelInput> inputs, ArrayFile file) {
        List<Entry> found = new ArrayList<>();
        Optional<String> only = only(inputs);
        boolean isTaken =
                inputs.stream().anyMatch(input -> input.name().equals(DEFAULT) && !only.equals(Optional.of(DEFAULT)));
        boolean byDefault = only.isPresent()
                && !isTaken
                && (file.holds(DEFAULT) || (inputs.size() <= 1 && !file.holds(only.get())));
        if (byDefault) {
            found.add(new Entry(only.get(), DEFAULT));
        }
        for (ModelInput input : inputs) {
            if (byDefault && input.name().equals(only.get())) {
                continue;
            }
            file.names().stream().filter(name -> fits(input, name)).forEach(name -> found.add(new Entry(name, name)));
        }
        return found;
    }

    /** The name of the only input that a model needs, if it is one tensor. */
    private static Optional<String> only(List<ModelInput> inputs) {
        if (inputs.isEmpty()) {
            return Optional.of(ONLY);
        }
        List<String> needed = inputs.stream()
                .filter(input -> inputs.size() == 1 || !input.optional())
                .map(ModelInput::name)
                .toList();
        return needed.size() == 1 && !needed.get(0).contains(ANY) ? Optional.of(needed.get(0)) : Optional.empty();
    }

    /** The entry with the name of its input. */
    private static Entry named(Entry entry, List<ModelInput> inputs) {
        String wanted = entry.input() == null ? entry.array() : entry.input();
        if (areOf(inputs, wanted)) {
            return new Entry(wanted, entry.array());
        }
        Optional<String> only = only(inputs);
        if (only.isPresent() && (entry.input() == null || inputs.isEmpty())) {
            return new Entry(entry.input() == null ? only.get() : entry.input(), entry.array());
        }
        String names = inputs.stream().map(ModelInput::name).collect(Collectors.joining(", "));
        throw new UserException("the model has no input '" + wanted + "'; it has " + names + ": give --inputs INPUT="
                + entry.array() + " with one of these");
    }

    /** Whether one of the inputs has that name. */
    static boolean areOf(List<ModelInput> inputs, String name) {
        return inputs.stream().anyMatch(input -> fits(input, name));
    }

    /** Whether an input has that name; one of a container has any name that begins as the container's. */
    private static boolean fits(ModelInput input, String name) {
        String own = input.name();
        int any = own.indexOf(ANY);
        return any < 0 ? own.equals(name) : name.length() > any && name.startsWith(own.substring(0, any));
    }

    private boolean isShared(Entry entry) {
        return shared.contains(entry.input()) || shared.contains(entry.array());
    }

    private void requireShared(List<Entry> chosen) {
        List<String> inputs = chosen.stream().map(Entry::input).toList();
        for (String name : shared) {
            if (chosen.stream().noneMatch(entry -> name.equals(entry.input()) || name.equals(entry.array()))) {
                throw new UserException(
                        "--shared names '" + name + "', which is no input that is given; those are " + listed(inputs));
            }
        }
        if (!shared.isEmpty() && chosen.stream().allMatch(this::isShared)) {
            throw new UserException("--shared names every input (" + listed(inputs)
                    + "), and none is left that has samples; leave one out");
        }
    }
}
