"""The models that are compared: architectures of torchvision with random weights, and two of sequences."""

import torch
from torch import nn

OUTPUTS = 10


def torchvision_models():
    """torchvision.models, also where its binaries do not fit this PyTorch: the models need none of its operators."""
    declared = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    return torchvision.models, torchvision.__version__, declared


class Recurrent(nn.Module):
    """LSTM over steps that are embedded by an activation of their own."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 16)
        self.gelu = nn.GELU()
        self.lstm = nn.LSTM(16, 24, num_layers=2, batch_first=True, bidirectional=True)
        self.fc1 = nn.Linear(48, 32)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Linear(32, 16)
        self.tanh = nn.Tanh()
        self.head = nn.Linear(16, OUTPUTS)

    def forward(self, x):
        steps, _ = self.lstm(self.gelu(self.embed(x)))
        return self.head(self.tanh(self.fc2(self.relu(self.fc1(steps[:, -1])))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 48, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Linear(32, OUTPUTS)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x)).mean(1))


def _image(size):
    return 3, size, size


def architectures(models):
    """name: (model maker, shape of a sample). The images are as small as each architecture allows."""
    few = {"weights": None, "num_classes": OUTPUTS}
    return {
        "alexnet": (lambda: models.alexnet(**few), _image(63)),
        "convnext_tiny": (lambda: models.convnext_tiny(**few), _image(32)),
        "densenet121": (lambda: models.densenet121(**few), _image(32)),
        "efficientnet_b0": (lambda: models.efficientnet_b0(**few), _image(32)),
        "googlenet": (lambda: models.googlenet(**few, aux_logits=False, init_weights=False), _image(32)),
        "inception_v3": (lambda: models.inception_v3(**few, aux_logits=False, init_weights=False), _image(75)),
        "maxvit_t": (lambda: models.maxvit_t(**few), _image(224)),
        "mobilenet_v2": (lambda: models.mobilenet_v2(**few), _image(32)),
        "mobilenet_v3_small": (lambda: models.mobilenet_v3_small(**few), _image(32)),
        "regnet_y_400mf": (lambda: models.regnet_y_400mf(**few), _image(32)),
        "resnet18": (lambda: models.resnet18(**few), _image(32)),
        "resnet50": (lambda: models.resnet50(**few), _image(32)),
        "shufflenet_v2_x1_0": (lambda: models.shufflenet_v2_x1_0(**few), _image(32)),
        "squeezenet1_1": (lambda: models.squeezenet1_1(**few), _image(32)),
        "swin_t": (lambda: models.swin_t(**few), _image(64)),
        "vgg11_bn": (lambda: models.vgg11_bn(**few), _image(32)),
        "vit_b_32": (lambda: models.vit_b_32(**few, image_size=64), _image(64)),
        "LSTM": (Recurrent, (7, 6)),
        "TransformerEncoder": (Transformer, (7, 6)),
    }


def build(maker, seed=0):
    """The model in evaluation mode, with weights that let gradients through."""
    torch.manual_seed(seed)
    model = maker().eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
            # A head that begins as zero, as ViT's does, has no gradient.
            if isinstance(module, nn.Linear) and not module.weight.any():
                nn.init.xavier_uniform_(module.weight)
        for name, parameter in model.named_parameters():
            # ConvNeXt's blocks begin as next to nothing.
            if name.endswith("layer_scale"):
                parameter.uniform_(0.2, 1)
    return model
