#include "script_mutator.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "exported_archive.hpp"
#include "mutations.hpp"
#include "script_archive.hpp"

namespace pregrad::test {

namespace {

void pickle(std::string& bytes, Draws& draws) {
  // Opcodes that take no bytes of their own stand for each other without moving what follows.
  constexpr std::string_view plain = ")]}(NtueRbQas.\x81\x85\x86\x87\x88\x89";
  switch (draws.below(6)) {
    case 0:
      return flip(bytes, draws);
    case 1:
      return shuffle(bytes, draws);
    case 2: {
      for (std::size_t tries = 0; tries < 200; ++tries) {
        char& byte = bytes[draws.below(bytes.size())];
        if (plain.find(byte) != std::string_view::npos) {
          byte = draws.of(plain);
          return;
        }
      }
      return;
    }
    case 3: {
      // A number becomes another, or a large one, or one below 0.
      for (std::size_t tries = 0; tries < 200; ++tries) {
        const std::size_t at = draws.below(bytes.size() - 1);
        if (bytes[at] == 'K') {
          if (draws.one_in(2)) {
            bytes[at + 1] = draws.byte();
          } else {
            bytes.replace(at, 2, std::string("J") + draws.byte() + draws.byte() + draws.byte() + draws.byte());
          }
          return;
        }
      }
      return;
    }
    case 4: {
      constexpr std::array<const char*, 8> globals = {"cos\nsystem\n",
                                                      "ctorch\nHalfStorage\n",
                                                      "ctorch\nDoubleStorage\n",
                                                      "ctorch\nQInt8Storage\n",
                                                      "ctorch._utils\n_rebuild_qtensor\n",
                                                      "ctorch._utils\n_rebuild_sparse_tensor\n",
                                                      "ctorch\ndevice\n",
                                                      "ctorch.jit._pickle\nbuild_intlist\n"};
      const std::size_t found = bytes.find('c', draws.below(bytes.size()));
      const std::size_t first = found == std::string::npos ? found : bytes.find('\n', found);
      const std::size_t second = first == std::string::npos ? first : bytes.find('\n', first + 1);
      if (second != std::string::npos) {
        bytes.replace(found, second - found + 1, draws.of(globals));
      }
      return;
    }
    default:
      bytes.resize(draws.below(bytes.size()));
  }
}

void code(std::string& text, Draws& draws) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.empty()) {
    return;
  }
  std::string& line = lines[draws.below(lines.size())];
  constexpr std::array<const char*, 26> words = {"0",
                                                 "-1",
                                                 "9223372036854775807",
                                                 "-9223372036854775808",
                                                 "1.5",
                                                 "None",
                                                 "True",
                                                 "[]",
                                                 "[0, 0]",
                                                 "[1073741824, 8]",
                                                 "\"x\"",
                                                 "self",
                                                 "x",
                                                 "(x % 0)",
                                                 "(7 // 0)",
                                                 "inf",
                                                 "nan",
                                                 "CONSTANTS.c0",
                                                 "torch.relu",
                                                 "Tensor",
                                                 "int",
                                                 "List[int]",
                                                 "Optional[Tensor]",
                                                 "torch.add",
                                                 "torch.as_strided",
                                                 "torch.reshape"};
  constexpr std::array<const char*, 16> calls = {"torch.save(self.training, \"canary\")",
                                                 "print(\"canary\")",
                                                 "_7 = torch.from_file(\"canary\", True, 4)",
                                                 "_7 = torch.as_strided(torch.ones([2]), [100], [100], 7)",
                                                 "_7 = torch.empty([3, 3])",
                                                 "_7 = torch.ones([2])[5]",
                                                 "_7 = torch.index_select(torch.ones([2]), 0, torch.tensor([9]))",
                                                 "_7 = torch.embedding(torch.ones([2, 2]), torch.tensor([-9]))",
                                                 "_7 = torch.view(torch.ones([4]), [3, 3])",
                                                 "_7 = unchecked_cast(int, self.training)",
                                                 "_7 = uninitialized(Tensor)",
                                                 "_7 = fork(self.forward)",
                                                 "_7 = torch.gather(torch.ones([2]), 0, torch.tensor([77]))",
                                                 "_7 = ops.prim.NumToTensor(1)",
                                                 "_7 = torch.manual_seed(1)",
                                                 "torch.warn(\"canary\")"};
  switch (draws.below(8)) {
    case 0:
      flip(line, draws);
      break;
    case 1:
      std::swap(line, lines[draws.below(lines.size())]);
      break;
    case 2:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(draws.below(lines.size())));
      break;
    case 3:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(draws.below(lines.size())), line);
      break;
    case 4: {
      // A word becomes another.
      const std::size_t begin = line.find_first_not_of(" (),.=:", draws.below(line.size() + 1));
      if (begin != std::string::npos) {
        line.replace(begin, std::min(line.find_first_of(" (),.=:", begin), line.size()) - begin, draws.of(words));
      }
      break;
    }
    case 5: {
      const std::size_t at = draws.below(lines.size());
      const std::size_t indent = std::min(lines[at].find_first_not_of(' '), std::size_t{8});
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::string(indent, ' ') + draws.of(calls));
      break;
    }
    case 6: {
      const std::size_t depth = std::size_t{1} << draws.below(13);
      const std::size_t at = line.find('=');
      if (at != std::string::npos && at + 2 < line.size()) {
        line = line.substr(0, at + 2) + std::string(depth, '(') + line.substr(at + 2) + std::string(depth, ')');
      }
      break;
    }
    default:
      shuffle(line, draws);
  }
  text.clear();
  for (const std::string& each : lines) {
    text.append(each).push_back('\n');
  }
}

void tensor(std::string& bytes, Draws& draws) {
  switch (draws.below(4)) {
    case 0:
      bytes.resize(draws.below(bytes.size() + 1));
      return;
    case 1:
      bytes.append(draws.below(64), draws.byte());
      return;
    case 2:
      std::fill(bytes.begin(), bytes.end(), draws.one_in(2) ? '\xff' : draws.byte());
      return;
    default:
      flip(bytes, draws);
  }
}

/// A record gets another name, or a second one of nearly the same name has other bytes.
void name(std::map<std::string, std::string>& records, Draws& draws) {
  const auto [from, bytes] = draws.of(records);
  const std::string to = damaged_name(from, draws);
  if (to == from || to.empty()) {
    return;
  }
  if (draws.one_in(2)) {
    std::string other = bytes;
    shuffle(other, draws);
    records[to] = other;
  } else {
    records.erase(from);
    records[to] = bytes;
  }
}

}  // namespace

void write_mutation(const std::filesystem::path& original, std::uint64_t seed, const std::filesystem::path& mutated) {
  Draws draws(seed);
  ScriptArchive script(original);
  std::vector<std::string> pickles;
  std::vector<std::string> codes;
  std::vector<std::string> tensors;
  for (const auto& [name, bytes] : script.records()) {
    if (name.ends_with(".pkl") && !bytes.empty()) {
      pickles.push_back(name);
    } else if (name.ends_with(".py")) {
      codes.push_back(name);
    } else if (name.starts_with("data/") || name.starts_with("constants/")) {
      tensors.push_back(name);
    }
  }
  bool is_damaged_outside = false;
  for (std::size_t damages = 1 + draws.below(3); damages > 0; --damages) {
    switch (draws.below(9)) {
      case 0:
        is_damaged_outside = true;
        break;
      case 8:
        name(script.records(), draws);
        break;
      case 1:
        if (!tensors.empty()) {
          tensor(script.records()[draws.of(tensors)], draws);
        }
        break;
      case 2:
      case 3:
      case 4:
        if (std::string& bytes = script.records()[draws.of(pickles)]; bytes.size() > 4) {
          pickle(bytes, draws);
        }
        break;
      default:
        code(script.records()[draws.of(codes)], draws);
    }
  }
  script.write(mutated);
  if (is_damaged_outside) {
    std::string bytes = bytes_of(mutated);
    damage_zip(bytes, draws);
    std::ofstream(mutated, std::ios::binary) << bytes;
  }
}

}  // namespace pregrad::test
