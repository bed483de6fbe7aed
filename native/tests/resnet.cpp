#include "resnet.hpp"

#include <cmath>
#include <sstream>
#include <string>

#include <ATen/Functions.h>

namespace pregrad::test {

namespace {

using torch::jit::Module;

std::shared_ptr<torch::jit::CompilationUnit> new_unit() { return std::make_shared<torch::jit::CompilationUnit>(); }

Module convolution(const std::shared_ptr<torch::jit::CompilationUnit>& unit, const std::string& name, std::int64_t from,
                   std::int64_t to, std::int64_t size, std::int64_t stride) {
  Module module(name, unit, true);
  const double spread = std::sqrt(2.0 / static_cast<double>(from * size * size));
  module.register_parameter("weight", at::randn({to, from, size, size}) * spread, false);
  module.register_attribute("stride", c10::IntType::get(), stride);
  module.register_attribute("padding", c10::IntType::get(), size / 2);
  module.define(R"(
    def forward(self, x):
        return torch.conv2d(x, self.weight, None, [self.stride, self.stride], [self.padding, self.padding])
  )");
  return module;
}

Module normalisation(const std::shared_ptr<torch::jit::CompilationUnit>& unit, std::int64_t channels) {
  Module module("BatchNorm2d", unit, true);
  module.register_parameter("weight", at::ones({channels}), false);
  module.register_parameter("bias", at::zeros({channels}), false);
  module.register_buffer("running_mean", at::zeros({channels}));
  module.register_buffer("running_var", at::ones({channels}));
  module.define(R"(
    def forward(self, x):
        return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, False, 0.1, 1e-5, False)
  )");
  return module;
}

Module rectifier(const std::shared_ptr<torch::jit::CompilationUnit>& unit) {
  Module module("ReLU", unit, true);
  module.define(R"(
    def forward(self, x):
        return torch.relu_(x)
  )");
  return module;
}

Module block(const std::shared_ptr<torch::jit::CompilationUnit>& unit, std::int64_t from, std::int64_t to,
             std::int64_t stride) {
  Module module("BasicBlock", unit, true);
  module.register_module("conv1", convolution(unit, "Conv2d", from, to, 3, stride));
  module.register_module("bn1", normalisation(unit, to));
  module.register_module("conv2", convolution(unit, "Conv2d", to, to, 3, 1));
  module.register_module("bn2", normalisation(unit, to));
  module.register_module("relu", rectifier(unit));
  if (stride == 1) {
    module.define(R"(
    def forward(self, x):
        out = self.relu.forward(self.bn1.forward(self.conv1.forward(x)))
        out = self.bn2.forward(self.conv2.forward(out))
        out += x
        return self.relu.forward(out)
    )");
    return module;
  }
  module.register_module("downsample", convolution(unit, "Conv2d", from, to, 1, stride));
  module.define(R"(
    def forward(self, x):
        out = self.relu.forward(self.bn1.forward(self.conv1.forward(x)))
        out = self.bn2.forward(self.conv2.forward(out))
        out += self.downsample.forward(x)
        return self.relu.forward(out)
  )");
  return module;
}

}  // namespace

Module make_resnet18() {
  const auto unit = new_unit();
  Module model("ResNet", unit, true);
  model.register_module("conv1", convolution(unit, "Conv2d", 3, 64, 7, 2));
  model.register_module("bn1", normalisation(unit, 64));
  model.register_module("relu", rectifier(unit));
  std::int64_t from = 64;
  std::ostringstream body;
  body << R"(
    def forward(self, x):
        x = torch.max_pool2d(self.relu.forward(self.bn1.forward(self.conv1.forward(x))), [3, 3], [2, 2], [1, 1])
)";
  for (int i = 1; i <= 8; ++i) {
    const bool widens = i % 2 == 1 && i > 1;
    const std::int64_t to = widens ? 2 * from : from;
    std::ostringstream name;
    name << "block" << i;
    model.register_module(name.str(), block(unit, from, to, widens ? 2 : 1));
    body << "        x = self.block" << i << ".forward(x)\n";
    from = to;
  }
  model.register_parameter("fc", at::randn({1000, from}) * 0.01, false);
  body << "        return torch.matmul(torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1), self.fc.t())\n";
  model.define(body.str());
  return model;
}

}  // namespace pregrad::test
