package org.pregrad.benchmarks;

import static org.bytedeco.pytorch.global.torch.adaptive_avg_pool2d;
import static org.bytedeco.pytorch.global.torch.batch_norm;
import static org.bytedeco.pytorch.global.torch.conv2d;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.max_pool2d;
import static org.bytedeco.pytorch.global.torch.relu;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.NamedTensor;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.named_buffer_iterator;
import org.bytedeco.pytorch.named_buffer_list;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;

/**
 * A model written layer by layer with the presets' classes on the weights of a file, since a loaded module gives no hidden
 * tensor. The wanted pre-activation keeps its gradient, and its activation is out of place so that it is the right one.
 */
final class JavaCppModel {
    private final Map<String, Tensor> weights = new HashMap<>();
    private final JitModule module;
    private final boolean residual;
    private final int wanted;

    private int next;
    private Tensor tapped;

    JavaCppModel(Path file, boolean residual, int wanted) {
        this.residual = residual;
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

    /** The output; afterwards {@link #tapped} is the wanted pre-activation. */
    Tensor forward(Tensor x) {
        next = 0;
        return residual ? resnet(x) : mlp(x);
    }

    Tensor tapped() {
        return tapped;
    }

    private Tensor activation(Tensor z) {
        if (next++ == wanted) {
            z.retain_grad();
            tapped = z;
        }
        return relu(z);
    }

    private Tensor mlp(Tensor x) {
        Tensor hidden = activation(dense(x, "fc1"));
        return dense(activation(dense(hidden, "fc2")), "fc3");
    }

    private Tensor resnet(Tensor x) {
        Tensor y = max_pool2d(
                activation(normalised(convolved(x, "conv1", 2, 3), "bn1")),
                new long[] {3, 3},
                new long[] {2, 2},
                new long[] {1, 1},
                new long[] {1, 1},
                false);
        for (int layer = 1; layer <= 4; layer++) {
            y = block(y, "layer" + layer + ".0.", layer > 1);
            y = block(y, "layer" + layer + ".1.", false);
        }
        return dense(adaptive_avg_pool2d(y, 1, 1).flatten(1, -1), "fc");
    }

    private Tensor block(Tensor x, String name, boolean smaller) {
        Tensor y = convolved(x, name + "conv1", smaller ? 2 : 1, 1);
        y = activation(normalised(y, name + "bn1"));
        y = normalised(convolved(y, name + "conv2", 1, 1), name + "bn2");
        Tensor shortcut = smaller ? normalised(convolved(x, name + "downsample.0", 2, 0), name + "downsample.1") : x;
        return activation(y.add(shortcut));
    }

    private Tensor dense(Tensor x, String name) {
        return linear(x, weights.get(name + ".weight"), optional(name + ".bias"));
    }

    private Tensor convolved(Tensor x, String name, long stride, long padding) {
        return conv2d(
                x,
                weights.get(name + ".weight"),
                new TensorOptional(),
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

    private TensorOptional optional(String name) {
        return new TensorOptional(weights.get(name));
    }
}
