import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Method;
import org.pregrad.Model;

/**
 * Prints the times of forwards in one line and of attributions in another, in milliseconds. Arguments: model, layer,
 * repetitions, and the shape of the input like 16,3,64,64.
 */
public final class ForwardTime {
    private ForwardTime() {}

    public static void main(String[] args) {
        int repetitions = Integer.parseInt(args[2]);
        long[] shape = Arrays.stream(args[3].split(",")).mapToLong(Long::parseLong).toArray();
        float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
        Random random = new Random(0);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Input input = Input.of(values, shape);
        long[] labels = new long[(int) shape[0]];
        try (Model model = Model.load(Path.of(args[0]));
                Attribution attribution =
                        model.attribution().layers(args[1]).methods(Method.GRADIENT).open()) {
            print(repetitions, () -> model.forward(input));
            print(repetitions, () -> attribution.add(input, labels, labels));
        }
    }

    private static void print(int repetitions, Runnable work) {
        for (int i = 0; i < 5; i++) {
            work.run();
        }
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < repetitions; i++) {
            long start = System.nanoTime();
            work.run();
            line.append((System.nanoTime() - start) / 1e6).append(' ');
        }
        System.out.println(line);
    }
}
