package org.pregrad.cli.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.pregrad.Input;
import org.pregrad.Inputs;
import org.pregrad.NeuronConstants;
import org.pregrad.cli.errors.UserException;
import org.pregrad.data.ArrayFile;
import org.pregrad.data.ArrayFileException;
import org.pregrad.data.ArrayReader;
import org.pregrad.data.ElementType;

/** A file that says where a path starts: of neurons, of inputs, of samples whose activations are taken. */
public final class BaselineFile {
    private BaselineFile() {}

    /**
     * One call of a layer.
     *
     * @param layer   canonical name
     * @param call    from 0
     * @param neurons how many it has
     */
    public record LayerCall(String layer, long call, int neurons) {
        /** E.g. {@code relu@1}. */
        public String id() {
            return layer + "@" + call;
        }
    }

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
     * One sample for each input that the file has an array of its name for, in the type and shape of the inputs; that of an
     * only input is x or the array's name. The others start at 0. Of inputs of whole numbers, these are those whose
     * embeddings the path starts from.
     *
     * @param data whose samples are compared with it
     * @throws UserException if the file cannot be used, has no such array, or a sample differs in shape
     */
    public static Inputs inputs(Path path, Dataset data) {
        return read(path, file -> {
            Map<String, Input> samples = new LinkedHashMap<>();
            for (InputArray input : data.inputs()) {
                boolean only = input.input().equals(InputNames.ONLY);
                String own = only ? input.reader().name() : input.input();
                String name = only && (file.holds(InputNames.DEFAULT) || !file.holds(own)) ? InputNames.DEFAULT : own;
                if (only || file.holds(name)) {
                    String mend = "save the one sample that the path starts from as " + name;
                    samples.put(input.input(), sample(array(file, name, mend), name, input));
                }
            }
            if (samples.isEmpty()) {
                throw new UserException("no array bears the name of an input; it holds "
                        + InputNames.listed(file.names()) + "; save one sample as one of "
                        + InputNames.listed(
                                data.inputs().stream().map(InputArray::input).toList()));
            }
            Input only = samples.get(InputNames.ONLY);
            return only == null ? Inputs.of(samples) : Inputs.of(only);
        });
    }

    /**
     * Samples [R, ...] for each input of the data, in its type and otherwise its shape; that of an only input is x or the
     * array's name.
     *
     * @param data whose samples are compared with them
     * @throws UserException if the file cannot be used, lacks an input, or a sample differs in shape
     */
    public static Inputs references(Path path, Dataset data) {
        return read(path, file -> {
            Inputs references = null;
            for (InputArray input : data.inputs()) {
                boolean only = input.input().equals(InputNames.ONLY);
                String own = only ? input.reader().name() : input.input();
                boolean byDefault = data.inputs().size() == 1 && (file.holds(InputNames.DEFAULT) || !file.holds(own));
                String name = byDefault ? InputNames.DEFAULT : own;
                NumberArray samples = array(file, name, "save the samples that are baselines as " + name);
                Input values = samples(samples, name, input);
                references = only
                        ? Inputs.of(values)
                        : references == null
                                ? Inputs.of(input.input(), values)
                                : input.isShared()
                                        ? references.andShared(input.input(), values)
                                        : references.and(input.input(), values);
            }
            return references;
        });
    }

    private static Input samples(NumberArray samples, String name, InputArray input) {
        List<Long> wanted = input.reader().shape();
        boolean fits = input.isShared()
                ? samples.shape().equals(wanted)
                : samples.shape().size() == wanted.size()
                        && samples.shape().subList(1, wanted.size()).equals(wanted.subList(1, wanted.size()));
        if (!fits) {
            throw new UserException("array '" + name + "' has shape " + ArrayReader.inWords(samples.shape())
                    + ", but the data has " + ArrayReader.inWords(wanted)
                    + "; save samples like these along the first axis");
        }
        return typed(samples, samples.shape(), name, input);
    }

    private interface Reading<R> {
        R from(ArrayFile file) throws IOException;
    }

    private static <R> R read(Path path, Reading<R> reading) {
        try (ArrayFile file = ArrayFile.open(path)) {
            return read(file, reading);
        } catch (IOException e) {
            throw new UserException(
                    "baseline file " + path + " cannot be read (" + e.getMessage() + "); check its disk", e);
        }
    }

    private static <R> R read(ArrayFile file, Reading<R> reading) throws IOException {
        try {
            return reading.from(file);
        } catch (ArrayFileException e) {
            throw new UserException("baseline file " + file.path() + ": " + e.reason(), e);
        } catch (UserException e) {
            throw new UserException("baseline file " + file.path() + ": " + e.getMessage(), e);
        }
    }

    private static double[] ofCall(ArrayFile file, LayerCall call) throws IOException {
        String name = file.holds(call.id()) ? call.id() : call.layer();
        NumberArray array = array(
                file,
                name,
                "save one value for each of the " + call.neurons() + " neurons as " + call.id() + ", or as "
                        + call.layer() + " for all its calls");
        if (!array.shape().equals(List.of((long) call.neurons()))) {
            throw new UserException("array '" + name + "' has shape "
                    + ArrayReader.inWords(array.shape()) + ", but layer " + call.id() + " has " + call.neurons()
                    + " neurons; save one value for each");
        }
        return array.values();
    }

    private static NumberArray array(ArrayFile file, String name, String mend) throws IOException {
        if (!file.holds(name)) {
            throw new UserException(
                    "there is no array '" + name + "'; it holds " + InputNames.listed(file.names()) + "; " + mend);
        }
        try (ArrayReader reader = file.open(name)) {
            return NumberArray.read(reader);
        }
    }

    private static Input sample(NumberArray sample, String name, InputArray input) {
        List<Long> all = input.reader().shape();
        List<Long> shape = input.isShared() ? all : all.subList(1, all.size());
        List<Long> batched = new ArrayList<>(List.of(1L));
        batched.addAll(shape);
        if (!sample.shape().equals(shape)
                && (input.isShared() || !sample.shape().equals(batched))) {
            throw new UserException("array '" + name + "' has shape " + ArrayReader.inWords(sample.shape())
                    + ", but a sample of the data has " + ArrayReader.inWords(shape) + "; save one sample");
        }
        return typed(sample, input.isShared() ? shape : batched, name, input);
    }

    /** The numbers in the type of the data's. */
    private static Input typed(NumberArray sample, List<Long> shape, String name, InputArray input) {
        long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
        ElementType type = input.reader().type();
        return switch (type) {
            case FLOAT64 -> Input.of(sample.values(), sizes);
            case FLOAT32 -> Input.of(floats(sample), sizes);
            case FLOAT16 -> throw new UserException("the data's inputs are float16; save them as float32");
            // Their path goes between the vectors that an embedding has for them; the model knows whether it has one.
            default -> Input.of(wholeNumbers(sample, name), sizes);
        };
    }

    private static long[] wholeNumbers(NumberArray sample, String name) {
        return Arrays.stream(sample.values())
                .mapToLong(value -> {
                    if (value != Math.rint(value)) {
                        throw new UserException("array '" + name + "' holds " + value
                                + ", and the data's inputs are whole numbers; save the numbers whose embeddings the path"
                                + " starts from");
                    }
                    return (long) value;
                })
                .toArray();
    }

    private static float[] floats(NumberArray sample) {
        float[] values = new float[sample.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) sample.values()[i];
        }
        return values;
    }

    /** A whole array of finite numbers in memory. */
    // Nobody compares such arrays, and the values are handed on at once.
    @SuppressWarnings("ArrayRecordComponent")
    private record NumberArray(List<Long> shape, double[] values) {
        /** @throws UserException if it does not hold finite numbers; the message does not name the file */
        static NumberArray read(ArrayReader reader) throws IOException {
            String array = "array '" + reader.name() + "'";
            if (!InputArray.isReadable(reader.type())
                    || (reader.fortran() && reader.shape().size() > 1)) {
                throw new UserException(
                        array + " holds " + reader.type().id() + (reader.fortran() ? " in Fortran order" : "")
                                + "; save it as np.ascontiguousarray(" + reader.name() + ", np.float32)");
            }
            if (reader.elements() > Integer.MAX_VALUE / Double.BYTES) {
                throw new UserException(array + " is " + reader.shapeInWords() + ", more than 2 GiB; save one sample");
            }
            ByteBuffer bytes = reader.next((int) reader.elements());
            double[] values = new double[(int) reader.elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = value(bytes, reader.type(), i);
                if (!Double.isFinite(values[i])) {
                    throw new UserException(array + " holds " + values[i] + " at " + i + "; give finite values");
                }
            }
            return new NumberArray(reader.shape(), values);
        }

        private static double value(ByteBuffer bytes, ElementType type, int i) {
            return switch (type) {
                case FLOAT32 -> bytes.getFloat(i * Float.BYTES);
                case FLOAT64 -> bytes.getDouble(i * Double.BYTES);
                default -> IntegerArray.value(bytes, type, i);
            };
        }
    }
}
