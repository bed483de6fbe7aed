package org.pregrad;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.pregrad.internal.Loader;
import org.pregrad.internal.Native;
import org.pregrad.internal.OptionsWriter;
import org.pregrad.internal.Text;

/**
 * Options as Java packs them for native code, with damages that follow from a seed: unknown names, other types, wrong lengths,
 * bytes changed or cut. Each is refused by an exception, or opens something that is closed again. A program: {@code
 * OptionMessages FIRST COUNT}.
 */
public final class OptionMessages {
    private static final long[] NUMBERS = {
        0, 1, -1, 2, 50, 127, 1L << 31, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE / 8
    };
    private static final String[] NAMES = {
        "layers",
        "methods",
        "target",
        "output",
        "outputName",
        "classAxis",
        "at",
        "multiLabel",
        "mask",
        "seed",
        "positions",
        "memoryLimit",
        "steps",
        "quadrature",
        "baseline",
        "baselines",
        "removal",
        "means",
        "cudaGraphs",
        "orders",
        "mostNeurons",
        "device",
        "trusted",
        "timeLimit",
        "ofZ",
        "references",
        "corrupt",
        "permutations",
        "shapleyError",
        "examples",
        "",
        "layer",
        "nothing of these"
    };
    private static final String[] TEXTS = {
        "act1",
        "act2@0",
        "all",
        "*",
        "gradient",
        "ablation",
        "integrated-gradients",
        "label",
        "predicted",
        "0",
        "3-5",
        "-1",
        "probability",
        "last",
        "each",
        "zero",
        "mean",
        "given",
        "trapezoid",
        "",
        "\u001b[2J",
        "\n",
        "@",
        "cuda:99"
    };

    private final SplittableRandom random;

    private OptionMessages(long seed) {
        random = new SplittableRandom(seed);
    }

    public static void main(String[] arguments) {
        long first = Long.parseLong(arguments[0]);
        long count = Long.parseLong(arguments[1]);
        Loader.load();
        byte[] path = Text.path(Fixtures.file("digits-mlp.scripted.pt"));
        long model = Native.loadModel(path, new OptionsWriter().bytes());
        long opened = 0;
        for (long seed = first; seed < first + count; seed++) {
            try {
                opened += new OptionMessages(seed).attempt(model) ? 1 : 0;
            } catch (IllegalStateException e) {
                throw new IllegalStateException("seed " + seed, e);
            }
        }
        Native.release(model);
        System.out.println("opened " + (opened > 0) + ", handles left " + Native.liveHandles());
        System.err.println(opened + " of " + count + " opened something");
        System.exit(0);
    }

    private boolean attempt(long model) {
        byte[] message = message(0);
        if (random.nextInt(4) == 0) {
            message = damaged(message);
        }
        try {
            long handle =
                    switch (random.nextInt(4)) {
                        case 0 -> Native.ablation(model, message);
                        case 1 -> Native.check(model, message);
                        case 2 -> Native.probe(message);
                        default -> Native.attribution(model, message, Native.NO_INPUT, null, 0, new long[0]);
                    };
            if (!Native.release(handle)) {
                throw new IllegalStateException("what was opened is not there");
            }
            return true;
        } catch (PreGradException e) {
            // Garbled bytes are a failure of the two halves to fit together, which is what the base class says.
            if (e.getMessage().isEmpty() || e.getMessage().contains("\n")) {
                throw new IllegalStateException("its message is not one line", e);
            }
            return false;
        } catch (OutOfMemoryError e) {
            return false;
        }
    }

    private byte[] message(int depth) {
        OptionsWriter writer = new OptionsWriter();
        if (depth == 0 && random.nextInt(4) > 0) {
            writer.addTexts("layers", List.of("act1"));
        }
        for (int fields = random.nextInt(4); fields > 0; fields--) {
            String name = NAMES[random.nextInt(NAMES.length)];
            switch (random.nextInt(6)) {
                case 0 -> writer.add(name, number());
                case 1 -> writer.add(name, text());
                case 2 -> writer.add(name, new long[] {number(), number()});
                case 3 -> writer.add(name, new double[] {random.nextInt(3), Double.NaN, Double.POSITIVE_INFINITY});
                case 4 -> writer.addTexts(name, List.of(text(), text()));
                default -> {
                    if (depth < 3) {
                        writer.addAll(name, List.of(nested(depth + 1)));
                    }
                }
            }
        }
        return writer.bytes();
    }

    private OptionsWriter nested(int depth) {
        OptionsWriter writer = new OptionsWriter()
                .add("layer", text())
                .add("call", number())
                .add("values", new double[random.nextInt(130)]);
        if (depth < 3 && random.nextInt(3) == 0) {
            writer.addAll("means", List.of(nested(depth + 1)));
        }
        return writer;
    }

    private long number() {
        return NUMBERS[random.nextInt(NUMBERS.length)];
    }

    private String text() {
        String text = TEXTS[random.nextInt(TEXTS.length)];
        return random.nextInt(20) == 0 ? text.repeat(1 << random.nextInt(12)) : text;
    }

    private byte[] damaged(byte[] bytes) {
        switch (random.nextInt(4)) {
            case 0:
                return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 1:
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                return bytes;
            case 2:
                int words = bytes.length / Long.BYTES;
                ByteBuffer.wrap(bytes)
                        .order(ByteOrder.nativeOrder())
                        .putLong(Long.BYTES * random.nextInt(words), number());
                return bytes;
            default:
                return "{\"layers\": [\"act1\"]}".getBytes(StandardCharsets.UTF_8);
        }
    }
}
