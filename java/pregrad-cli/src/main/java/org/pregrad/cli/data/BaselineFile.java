package org.pregrad.cli.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.pregrad.Input;
import org.pregrad.NeuronConstants;
import org.pregrad.cli.errors.UserException;
import org.pregrad.cli.npz.NpyHeader;
import org.pregrad.cli.npz.NpyReader;
import org.pregrad.cli.npz.NpyType;
import org.pregrad.cli.npz.NpzFile;

/** A .npz file that says where a path starts. */
public final class BaselineFile {
    private static final String INPUT = "x";

    private BaselineFile() {}

    /**
     * The activations that a file gives for each of these calls: the array named {@code layer@call}, else {@code layer}.
     *
     * @throws UserException if the file cannot be used, or lacks a layer
     */
    public static List<NeuronConstants> activations(Path path, List<LayerCall> calls) {
        return read(path, file -> {
            List<NeuronConstants> constants = new ArrayList<>();
            for (LayerCall call : calls) {
                double[] values = ofCall(file, call);
                constants.add(new NeuronConstants(call.layer(), call.call(), OptionalLong.empty(), values));
            }
            return constants;
        });
    }

    /**
     * The array x as one sample, in the type and shape of these inputs.
     *
     * @param inputs of the data
     * @throws UserException if the file cannot be used, or the sample differs in shape
     */
    public static Input input(Path path, NpyHeader inputs) {
        return read(path, file -> {
            NumberArray sample = array(file, INPUT, "save the one sample that the path starts from as " + INPUT);
            return sample(sample, inputs);
        });
    }

    private interface Reading<R> {
        R from(NpzFile file) throws IOException;
    }

    private static <R> R read(Path path, Reading<R> reading) {
        try (NpzFile file = NpzFile.open(path)) {
            return reading.from(file);
        } catch (IOException e) {
            throw new UserException(
                    "baseline file " + path + " cannot be read (" + e.getMessage() + "); check its disk", e);
        } catch (UserException e) {
            String message = e.getMessage();
            throw message.contains(path.toString())
                    ? e
                    : new UserException("baseline file " + path + ": " + message, e);
        }
    }

    private static double[] ofCall(NpzFile file, LayerCall call) throws IOException {
        String name = file.holds(call.id()) ? call.id() : call.layer();
        NumberArray array = array(
                file,
                name,
                "save one value for each of the " + call.neurons() + " neurons as " + call.id() + ", or as "
                        + call.layer() + " for all its calls");
        if (!array.header().shape().equals(List.of((long) call.neurons()))) {
            throw new UserException("array '" + name + "' has shape "
                    + array.header().shapeInWords() + ", but layer " + call.id() + " has " + call.neurons()
                    + " neurons; save one value for each");
        }
        return array.values();
    }

    private static NumberArray array(NpzFile file, String name, String mend) throws IOException {
        if (!file.holds(name)) {
            throw new UserException("there is no array '" + name + "'; it holds "
                    + (file.names().isEmpty() ? "no arrays" : String.join(", ", file.names())) + "; " + mend);
        }
        try (NpyReader reader = file.read(name)) {
            return NumberArray.read(reader);
        }
    }

    private static Input sample(NumberArray sample, NpyHeader inputs) {
        List<Long> shape = inputs.shape().subList(1, inputs.shape().size());
        List<Long> batched = new ArrayList<>(List.of(1L));
        batched.addAll(shape);
        List<Long> given = sample.header().shape();
        if (!given.equals(shape) && !given.equals(batched)) {
            throw new UserException("array '" + INPUT + "' has shape "
                    + sample.header().shapeInWords()
                    + ", but a sample of the data has " + new NpyHeader(inputs.type(), false, shape).shapeInWords()
                    + "; save one sample");
        }
        long[] sizes = batched.stream().mapToLong(Long::longValue).toArray();
        NpyType type = inputs.type();
        if (type.isInteger()) {
            throw new UserException("the data's inputs are " + type
                    + ", and there is no path between whole numbers; leave out methods of paths in input space");
        }
        return type.size() == Double.BYTES ? Input.of(sample.values(), sizes) : Input.of(floats(sample), sizes);
    }

    private static float[] floats(NumberArray sample) {
        float[] values = new float[sample.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) sample.values()[i];
        }
        return values;
    }
}
