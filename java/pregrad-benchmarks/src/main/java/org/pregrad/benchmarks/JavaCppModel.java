package org.pregrad.benchmarks;

import static org.bytedeco.pytorch.global.torch.adaptive_avg_pool2d;
import static org.bytedeco.pytorch.global.torch.batch_norm;
import static org.bytedeco.pytorch.global.torch.conv2d;
import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.max_pool2d;
import static org.bytedeco.pytorch.global.torch.relu;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.NamedTensor;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.named_buffer_iterator;
import org.bytedeco.pytorch.named_buffer_list;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;

/**
 * A model written layer by layer with the presets' classes on the weights of a file, since a loaded module gives no hidden
 * tensor. The wanted pre-activations keep their gradients, and activations are out of place so that these are the right ones.
 */
final class JavaCppModel {
    private static final int NONE = -1;

    private final Map<String, Tensor> weights = new HashMap<>();
    private final JitModule module;
    private final String kind;
    private final List<Integer> wanted;
    private final List<Tensor> tapped = new ArrayList<>();

    private int next;
    private int removed = NONE;

    /**
     * Of a kind that tests/benchmark/cases.tsv names as a floor.
     *
     * @param wanted activations, counted in the order in which they run; none: all of them
     */
    JavaCppModel(Path file, String kind, List<Integer> wanted) {
        this.kind = kind;
        this.wanted = wanted;
        module = torch.load(file.toString());
        module.eval();
        named_parameter_list parameters = module.named_parameters();
        named_parameter_iterator end = parameters.end();
        for (named_parameter_iterator i = parameters.begin(); i.notEquals(end); i.increment()) {
            put(i.access());
        }
        named_buffer_list buffers = module.named_buffers();
        named_buffer_iterator last = buffers.end();
        for (named_buffer_iterator i = buffers.begin(); i.notEquals(last); i.increment()) {
            put(i.access());
        }
    }

    private void put(NamedTensor named) {
        weights.put(named.name().getString(), new Tensor(named.value()));
    }

    /** The output; afterwards {@link #tapped} are the wanted pre-activations. */
    Tensor forward(Tensor x) {
        next = 0;
        tapped.clear();
        return switch (kind) {
            case "mlp", "removal" -> mlp(x);
            case "cnn" -> cnn(x);
            case "resnet" -> resnet(x);
            case "vit" -> vit(x);
            default -> throw new IllegalArgumentException("there is no model of kind " + kind);
        };
    }

    /** The output with one neuron's pre-activation at 0, in the layers that are wanted; not for gradients. */
    Tensor forwardWithout(int neuron, Tensor x) {
        removed = neuron;
        try {
            return forward(x);
        } finally {
            removed = NONE;
        }
    }

    List<Tensor> tapped() {
        return tapped;
    }

    private Tensor tap(Tensor z) {
        int index = next++;
        if (wanted.isEmpty() || wanted.contains(index)) {
            if (z.requires_grad()) {
                z.retain_grad();
            }
            if (removed != NONE) {
                z.select(1, removed).zero_();
            }
            tapped.add(z);
        }
        return z;
    }

    private Tensor mlp(Tensor x) {
        Tensor hidden = relu(tap(dense(x, "fc1")));
        return dense(relu(tap(dense(hidden, "fc2"))), "fc3");
    }

    private Tensor cnn(Tensor x) {
        Tensor hidden = relu(tap(normalised(convolved(x, "conv1", 1, 1), "bn1")));
        hidden = relu(tap(normalised(convolved(hidden, "conv2", 1, 1), "bn2")));
        return dense(max_pool2d(hidden, 2, 2).flatten(1, -1), "fc");
    }

    private Tensor resnet(Tensor x) {
        Tensor y = max_pool2d(
                relu(tap(normalised(convolved(x, "conv1", 2, 3), "bn1"))),
                new long[] {3, 3},
                new long[] {2, 2},
                new long[] {1, 1},
                new long[] {1, 1},
                false);
        for (int layer = 1; layer <= 4; layer++) {
            y = residual(y, "layer" + layer + ".0.", layer > 1);
            y = residual(y, "layer" + layer + ".1.", false);
        }
        return dense(adaptive_avg_pool2d(y, 1, 1).flatten(1, -1), "fc");
    }

    private Tensor residual(Tensor x, String name, boolean smaller) {
        Tensor y = convolved(x, name + "conv1", smaller ? 2 : 1, 1);
        y = relu(tap(normalised(y, name + "bn1")));
        y = normalised(convolved(y, name + "conv2", 1, 1), name + "bn2");
        Tensor shortcut = smaller ? normalised(convolved(x, name + "downsample.0", 2, 0), name + "downsample.1") : x;
        return relu(tap(y.add(shortcut)));
    }

    private Tensor vit(Tensor x) {
        Tensor y = convolved(x, "patches", 4, 0).flatten(2, -1).transpose(1, 2).add(weights.get("position"));
        y = encoded(encoded(y, "blocks.0."), "blocks.1.");
        return dense(layerNormalised(y, "norm").mean(1), "head");
    }

    private Tensor encoded(Tensor x, String name) {
        long heads = 4;
        long samples = x.size(0);
        long tokens = x.size(1);
        long width = x.size(2);
        TensorVector parts = dense(layerNormalised(x, name + "norm1"), name + "qkv")
                .view(samples, tokens, 3, heads, width / heads)
                .permute(2, 0, 3, 1, 4)
                .unbind(0);
        Tensor mixed = scaled_dot_product_attention(parts.get(0), parts.get(1), parts.get(2))
                .transpose(1, 2)
                .reshape(samples, tokens, width);
        Tensor y = x.add(dense(mixed, name + "projection"));
        Tensor hidden = gelu(tap(dense(layerNormalised(y, name + "norm2"), name + "fc1")));
        return y.add(dense(hidden, name + "fc2"));
    }

    private Tensor dense(Tensor x, String name) {
        return linear(x, weights.get(name + ".weight"), optional(name + ".bias"));
    }

    private Tensor convolved(Tensor x, String name, long stride, long padding) {
        return conv2d(
                x,
                weights.get(name + ".weight"),
                optional(name + ".bias"),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                1);
    }

    private Tensor normalised(Tensor x, String name) {
        return batch_norm(
                x,
                optional(name + ".weight"),
                optional(name + ".bias"),
                optional(name + ".running_mean"),
                optional(name + ".running_var"),
                false,
                0.1,
                1e-5,
                false);
    }

    private Tensor layerNormalised(Tensor x, String name) {
        long[] shape = {x.size(-1)};
        return layer_norm(x, shape, optional(name + ".weight"), optional(name + ".bias"), 1e-5, false);
    }

    private TensorOptional optional(String name) {
        Tensor found = weights.get(name);
        return found == null ? new TensorOptional() : new TensorOptional(found);
    }
}
