package example;

import java.nio.file.Path;
import java.util.Arrays;
import org.pregrad.Attribution;
import org.pregrad.Input;
import org.pregrad.Method;
import org.pregrad.Model;
import org.pregrad.Score;

/** Prints how the neurons of a layer of the model in args[0] matter to the first class, for an input of ones. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        float[] values = new float[2 * 64];
        Arrays.fill(values, 1);
        try (Model model = Model.load(Path.of(args[0]));
                Attribution attribution = model.attribution()
                        .layers("act1")
                        .methods(Method.GRADIENT)
                        .open()) {
            attribution.add(Input.of(values, 2, 64), new long[] {0, 0});
            Score score = attribution.scores().of("act1", 0, Method.GRADIENT);
            System.out.println("neurons " + score.neurons() + ", samples " + score.count() + ", sum of |mean| "
                    + Arrays.stream(score.mean()).map(Math::abs).sum());
        }
    }
}
