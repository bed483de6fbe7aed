#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include <torch/csrc/jit/frontend/lexer.h>
#include <torch/csrc/jit/frontend/parser.h>
#include <torch/csrc/jit/frontend/tree_views.h>

#include "readers/gate.hpp"
#include "support/failures.hpp"

namespace pregrad::readers {

namespace {

using torch::jit::TreeRef;

// --- depth, on the text alone

bool begins_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Counts how deep expressions and blocks nest, without recursion. The count is never less than the depth of the tree
/// that a parser makes of the text: every operator in a row counts, whichever binds more.
class DepthScanner {
 public:
  DepthScanner(std::string_view code, const std::string& name) : code_(code), name_(name) {}

  void run() {
    begin_line();
    while (at_ < code_.size()) {
      token();
    }
  }

 private:
  [[noreturn]] void deep(const std::string& what, std::size_t most) const {
    fail("nests " + what + " more than " + std::to_string(most) + " deep in line " + std::to_string(line_) + " of '" +
         shown(name_) + "', and whatever reads it would run out of stack: write it as several statements or functions");
  }

  char next(std::size_t ahead = 0) const { return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0'; }

  void link() {
    ++groups_.back();
    if (++depth_ > GateLimits::expression_depth) {
      deep("an expression", GateLimits::expression_depth);
    }
  }

  void token() {
    const char c = next();
    if (c == '\n') {
      ++at_;
      ++line_;
      if (groups_.size() == 1) {
        begin_line();
      }
    } else if (c == '\\' || c == ' ' || c == '\t' || c == '\r') {
      ++at_;
      if (c == '\\' && next() == '\n') {
        ++at_;
        ++line_;
      }
    } else if (c == '#') {
      at_ = std::min(code_.find('\n', at_), code_.size());
    } else if (c == '"' || c == '\'') {
      quoted(c);
    } else if (begins_name(c)) {
      word();
    } else if (is_digit(c) || (c == '.' && is_digit(next(1)))) {
      number();
    } else if (c == '(' || c == '[' || c == '{') {
      ++at_;
      link();
      groups_.push_back(0);
    } else if (c == ')' || c == ']' || c == '}') {
      ++at_;
      if (groups_.size() > 1) {
        depth_ -= groups_.back();
        groups_.pop_back();
      }
    } else if (c == ',') {
      ++at_;
      depth_ -= groups_.back();
      groups_.back() = 0;
    } else {
      ++at_;
      link();
    }
  }

  void quoted(char quote) {
    const std::string three(3, quote);
    const bool is_long = code_.substr(at_, 3) == three;
    at_ += is_long ? 3 : 1;
    while (at_ < code_.size()) {
      if (code_[at_] == '\\') {
        at_ += 2;
      } else if (is_long ? code_.substr(at_, 3) == three : code_[at_] == quote) {
        at_ += is_long ? 3 : 1;
        return;
      } else if (code_[at_++] == '\n') {
        ++line_;
      }
    }
    at_ = code_.size();
  }

  void word() {
    const std::size_t begin = at_;
    while (begins_name(next()) || is_digit(next())) {
      ++at_;
    }
    static const std::set<std::string_view> operators = {"not", "and", "or",     "if",    "else",  "elif",
                                                         "in",  "is",  "lambda", "while", "for",   "await",
                                                         "as",  "del", "return", "raise", "assert"};
    if (operators.count(code_.substr(begin, at_ - begin)) != 0) {
      link();
    }
  }

  void number() {
    while (is_digit(next()) || begins_name(next()) || next() == '.' ||
           ((next() == '-' || next() == '+') && (code_[at_ - 1] == 'e' || code_[at_ - 1] == 'E'))) {
      ++at_;
    }
  }

  /// A logical line begins: what it is indented by says in how many blocks it stands.
  void begin_line() {
    depth_ = 0;
    groups_.assign(1, 0);
    std::size_t indent = 0;
    while (next() == ' ' || next() == '\t') {
      ++indent;
      ++at_;
    }
    if (next() == '\n' || next() == '#' || next() == '\r' || next() == '\0') {
      return;
    }
    while (!blocks_.empty() && blocks_.back().indent > indent) {
      branches_ -= blocks_.back().branches;
      blocks_.pop_back();
    }
    if (blocks_.empty() || blocks_.back().indent < indent) {
      blocks_.push_back({indent, 0});
    }
    const std::string_view rest = code_.substr(at_, 5);
    if (rest.starts_with("elif")) {
      ++blocks_.back().branches;
      ++branches_;
    } else if (!rest.starts_with("else")) {
      branches_ -= blocks_.back().branches;
      blocks_.back().branches = 0;
    }
    if (blocks_.size() + branches_ > GateLimits::block_depth) {
      deep("blocks", GateLimits::block_depth);
    }
  }

  struct Block {
    std::size_t indent = 0;
    std::size_t branches = 0;  ///< `elif` in a row, each of which is an `if` in the `else` before
  };

  std::string_view code_;
  std::string name_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;                  ///< brackets that are open, and all links in them
  std::vector<std::size_t> groups_ = {0};  ///< links of each bracket that is open
  std::vector<Block> blocks_;
  std::size_t branches_ = 0;
};

// --- what the code is

[[noreturn]] void fail_at(const TreeRef& tree, const std::string& what) {
  fail("is damaged or made up: " + place(tree->range()) + " " + what);
}

/// The trees below, itself included, in the order of the text; no recursion.
template <typename Visit>
void each_tree(const TreeRef& root, const Visit& visit) {
  std::vector<TreeRef> open = {root};
  while (!open.empty()) {
    const TreeRef tree = open.back();
    open.pop_back();
    if (visit(tree)) {
      const auto& below = tree->trees();
      open.insert(open.end(), below.rbegin(), below.rend());
    }
  }
}

/// `a.b.c` of names in a row; empty for anything else.
std::string dotted(const TreeRef& tree) {
  std::vector<std::string> parts;
  TreeRef at = tree;
  while (at->kind() == '.' && at->trees().size() == 2) {
    parts.push_back(torch::jit::Ident(at->tree(1)).name());
    at = at->tree(0);
  }
  if (at->kind() != torch::jit::TK_VAR) {
    return "";
  }
  std::string name = torch::jit::Var(at).name().name();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    name.append(".").append(*part);
  }
  return name;
}

/// Under what LibTorch finds a class or function: its module is a record, looked up whatever its case.
std::string key_of(const std::string& qualified) {
  const std::size_t dot = std::min(qualified.rfind('.'), qualified.size());
  return lower_case(qualified.substr(0, dot)) + qualified.substr(dot);
}

/// A class or function of the file.
struct Definition {
  TreeRef tree;
  std::vector<std::size_t> needs;
};

/// The code of a file, parsed.
class Code {
 public:
  explicit Code(const std::map<std::string, std::string>& files) {
    for (const auto& [record, text] : files) {
      parse(record, text);
    }
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
      require_class_as_written(definitions_.at(i).tree);
      find_needs(i);
    }
  }

  /// LibTorch reads a definition when one that it reads needs it.
  void require_shallow(const std::vector<std::string>& first) const {
    std::vector<bool> seen(definitions_.size());
    const auto read = [&](std::size_t root) {
      struct Step {
        std::size_t definition;
        std::size_t next;
      };
      std::vector<Step> path;
      const auto enter = [&](std::size_t definition) {
        if (seen[definition]) {
          return;
        }
        seen[definition] = true;
        path.push_back({definition, 0});
        if (path.size() > GateLimits::definition_depth) {
          fail("has classes or functions that need each other more than " +
               std::to_string(GateLimits::definition_depth) + " deep, the last in " +
               place(definitions_.at(definition).tree->range()) + ", and whatever reads it would run out of stack");
        }
      };
      enter(root);
      while (!path.empty()) {
        const std::vector<std::size_t>& needs = definitions_.at(path.back().definition).needs;
        if (path.back().next == needs.size()) {
          path.pop_back();
        } else {
          enter(needs[path.back().next++]);
        }
      }
    };
    for (const std::string& name : first) {
      if (const auto found = by_name_.find(key_of(name)); found != by_name_.end()) {
        read(found->second);
      }
    }
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
      read(i);
    }
  }

  /// `__setstate__` runs while LibTorch loads, where nothing can stop it.
  void require_states_that_compute() const {
    std::vector<std::pair<TreeRef, TreeRef>> states;
    TreeRef special;
    for (const Definition& definition : definitions_) {
      if (definition.tree->kind() != torch::jit::TK_CLASS_DEF) {
        continue;
      }
      for (const auto& statement : torch::jit::ClassDef(definition.tree).body()) {
        if (statement.kind() != torch::jit::TK_DEF) {
          continue;
        }
        static const std::set<std::string> called_by_name = {"__init__", "__getstate__", "__enter__", "__exit__"};
        const std::string name = torch::jit::Def(statement.tree()).name().name();
        if (name == "__setstate__") {
          states.emplace_back(statement.tree(), definition.tree);
        } else if (name.starts_with("__") && name.ends_with("__") && called_by_name.count(name) == 0) {
          special = statement.tree();
        }
      }
    }
    for (const auto& [method, type] : states) {
      if (special) {
        refuse_state(special, "may call a method that stands for an operator");
      }
      std::set<const torch::jit::Tree*> entered;
      require_straight(method, type, entered);
    }
  }

 private:
  void parse(const std::string& record, const std::string& text) {
    std::string qualifier = record.substr(5, record.size() - 8);
    std::replace(qualifier.begin(), qualifier.end(), '/', '.');
    try {
      torch::jit::Parser parser(std::make_shared<torch::jit::Source>(text, record, 1));
      auto& lexer = parser.lexer();
      skip_version(lexer);
      while (lexer.cur().kind != torch::jit::TK_EOF) {
        skip_imports(lexer);
        const int kind = lexer.cur().kind;
        TreeRef tree;
        std::string name;
        if (kind == torch::jit::TK_CLASS_DEF) {
          tree = parser.parseClass();
          name = torch::jit::ClassDef(tree).name().name();
        } else if (kind == torch::jit::TK_DEF) {
          tree = parser.parseFunction(/*is_method=*/false);
          name = torch::jit::Def(tree).name().name();
        } else {
          fail("is damaged or made up: '" + shown(record) + "' has " + torch::jit::kindToString(kind) +
               " where a class or function begins");
        }
        if (!by_name_.emplace(key_of(qualifier + "." + name), definitions_.size()).second) {
          fail("is damaged or made up: '" + shown(record) + "' defines " + shown(name) + " twice");
        }
        definitions_.push_back({std::move(tree), {}});
      }
    } catch (const pt2::ArchiveError&) {
      throw;
    } catch (const std::exception& error) {
      fail("is damaged or made up: '" + shown(record) +
           "' is no TorchScript: " + shown(support::first_sentence(error)));
    }
  }

  static void skip_version(torch::jit::Lexer& lexer) {
    if (lexer.cur().kind == torch::jit::TK_IDENT && lexer.cur().text() == "op_version_set") {
      lexer.next();
      lexer.expect('=');
      lexer.expect(torch::jit::TK_NUMBER);
      lexer.expect(torch::jit::TK_NEWLINE);
    }
  }

  static void skip_imports(torch::jit::Lexer& lexer) {
    while (lexer.nextIf(torch::jit::TK_IMPORT)) {
      lexer.expect(torch::jit::TK_IDENT);
      while (lexer.nextIf('.')) {
        lexer.expect(torch::jit::TK_IDENT);
      }
      lexer.expect(torch::jit::TK_NEWLINE);
    }
  }

  /// What LibTorch's importer takes for granted of a class's body.
  static void require_class_as_written(const TreeRef& tree) {
    if (tree->kind() != torch::jit::TK_CLASS_DEF) {
      return;
    }
    for (const auto& statement : torch::jit::ClassDef(tree).body()) {
      if (statement.kind() == torch::jit::TK_DEF || statement.kind() == torch::jit::TK_PASS) {
        continue;
      }
      if (statement.kind() != torch::jit::TK_ASSIGN) {
        fail_at(statement.tree(), "is no part of a class");
      }
      const torch::jit::Assign assign(statement.tree());
      if (assign.lhs_list().size() != 1) {
        fail_at(statement.tree(), "assigns to several attributes");
      }
      const torch::jit::Expr left = assign.lhs();
      if (left.kind() == torch::jit::TK_VAR) {
        const std::string name = torch::jit::Var(left.tree()).name().name();
        const bool is_list = name == "__parameters__" || name == "__buffers__" || name == "__constants__" ||
                             name == "__frozen_parameters__";
        if (is_list && (!assign.rhs().present() || !is_list_of_texts(assign.rhs().get().tree()))) {
          fail_at(statement.tree(), "does not list names");
        }
        if (!is_list && name != "__annotations__" && !assign.type().present()) {
          fail_at(statement.tree(), "gives attribute " + shown(name) + " no type");
        }
      } else if (left.kind() == torch::jit::TK_SUBSCRIPT) {
        const torch::jit::Subscript subscript(left.tree());
        if (dotted(subscript.value().tree()) != "__annotations__" || subscript.subscript_exprs().size() != 1 ||
            subscript.subscript_exprs()[0].kind() != torch::jit::TK_STRINGLITERAL || !assign.rhs().present()) {
          fail_at(statement.tree(), "annotates no attribute");
        }
      } else {
        fail_at(statement.tree(), "assigns to something that is no attribute");
      }
    }
  }

  static bool is_list_of_texts(const TreeRef& tree) {
    if (tree->kind() != torch::jit::TK_LIST_LITERAL) {
      return false;
    }
    for (const auto& input : torch::jit::ListLiteral(tree).inputs()) {
      if (input.kind() != torch::jit::TK_STRINGLITERAL) {
        return false;
      }
    }
    return true;
  }

  void find_needs(std::size_t index) {
    std::set<std::size_t> needs;
    std::vector<std::size_t> in_order;
    each_tree(definitions_.at(index).tree, [&](const TreeRef& tree) {
      if (tree->kind() != '.') {
        return true;
      }
      // The longest name comes first; the names that it begins with stand below it.
      const std::string name = dotted(tree);
      const auto found = by_name_.find(key_of(name));
      if (found == by_name_.end()) {
        return true;
      }
      if (found->second != index && needs.insert(found->second).second) {
        in_order.push_back(found->second);
      }
      return false;
    });
    definitions_.at(index).needs = std::move(in_order);
  }

  static TreeRef method_of(const TreeRef& type, const std::string& name) {
    for (const auto& statement : torch::jit::ClassDef(type).body()) {
      if (statement.kind() == torch::jit::TK_DEF && torch::jit::Def(statement.tree()).name().name() == name) {
        return statement.tree();
      }
    }
    return {};
  }

  [[noreturn]] static void refuse_state(const TreeRef& tree, const std::string& what) {
    fail("has a __setstate__, which runs while the model loads, that " + what + " (" + place(tree->range()) +
         "); without trust it may only compute, straight on: " + way_to_trust);
  }

  /// A method or function that runs while LibTorch loads. Every step must be known for what it is by its name alone, as
  /// no types are known here.
  void require_straight(const TreeRef& definition, const TreeRef& type,
                        std::set<const torch::jit::Tree*>& entered) const {
    using namespace torch::jit;
    if (!entered.insert(definition.get()).second) {
      return;
    }
    if (entered.size() > GateLimits::definition_depth) {
      refuse_state(definition, "calls ever more functions");
    }
    static const std::set<int> refused = {TK_FOR,       TK_WHILE,  TK_WITH,   TK_LIST_COMP, TK_DICT_COMP,
                                          TK_FLOOR_DIV, '%',       TK_MOD_EQ, TK_DELETE,    TK_BREAK,
                                          TK_CONTINUE,  TK_GLOBAL, TK_POW,    TK_AUG_ASSIGN};
    // Names that mean something here must go on meaning it.
    static const std::set<std::string> reserved = {"torch", "ops", "__torch__", "CONSTANTS"};
    const auto parameters = Def(definition).decl().params();
    const std::string self = type && !parameters.empty() ? parameters[0].ident().name() : "";
    for (const auto& parameter : parameters) {
      if (reserved.count(parameter.ident().name()) != 0) {
        refuse_state(parameter.tree(), "takes a parameter of the name " + parameter.ident().name());
      }
    }
    each_tree(Def(definition).statements().tree(), [&](const TreeRef& tree) {
      if (refused.count(tree->kind()) != 0) {
        refuse_state(tree, "has " + kindToString(tree->kind()));
      }
      if (tree->kind() == TK_ASSIGN) {
        each_tree(Assign(tree).lhs_list().tree(), [&](const TreeRef& target) {
          if (target->kind() == TK_VAR) {
            const std::string name = Var(target).name().name();
            if (reserved.count(name) != 0 || name == self) {
              refuse_state(tree, "gives the name " + shown(name) + " another meaning");
            }
          }
          return target->kind() != '.';
        });
      }
      if (tree->kind() == '.') {
        // Only the object itself is known to be of its class; others may be of one that has less in it.
        const std::string name = dotted(tree);
        const std::string first = name.substr(0, name.find('.'));
        const bool is_own = !self.empty() && first == self && name.find('.', first.size() + 1) == std::string::npos;
        if (!is_own && (name.empty() || reserved.count(first) == 0)) {
          refuse_state(tree, "reads an attribute of something else than the object itself");
        }
        return false;
      }
      if (tree->kind() == TK_DEF) {
        refuse_state(tree, "defines a function");
      }
      if (tree->kind() == TK_APPLY) {
        require_plain_call(tree, type, self, entered);
      }
      return true;
    });
  }

  void require_plain_call(const TreeRef& call, const TreeRef& type, const std::string& self,
                          std::set<const torch::jit::Tree*>& entered) const {
    using namespace torch::jit;
    const TreeRef called = Apply(call).callee().tree();
    const std::string name = dotted(called);
    static const std::set<std::string> plain = {"annotate", "int",  "float",      "bool",  "str",          "len",
                                                "getattr",  "list", "isinstance", "tuple", "uninitialized"};
    if (plain.count(name) != 0) {
      return;
    }
    if (name == "unchecked_cast") {
      return require_no_class(call);
    }
    static const std::set<std::string> unguarded = {
        "remainder",        "fmod",   "floordiv",     "floor_divide", "__round_to_zero_floordiv",
        "mathremainder",    "divmod", "pow",          "mul",          "warn",
        "set_grad_enabled", "format", "percentFormat"};
    if (name.starts_with("torch.")) {
      const std::string operation = name.substr(6);
      if (operation.find('.') != std::string::npos || unguarded.count(operation) != 0 ||
          !(may_compute("aten::" + operation) || may_compute("prim::" + operation))) {
        refuse_state(call, "calls " + shown(name));
      }
      return;
    }
    if (name.starts_with("ops.")) {
      const std::size_t dot = name.find('.', 4);
      if (dot == std::string::npos || !may_compute(name.substr(4, dot - 4) + "::" + name.substr(dot + 1))) {
        refuse_state(call, "calls " + shown(name));
      }
      return;
    }
    if (const auto found = by_name_.find(key_of(name)); found != by_name_.end()) {
      const TreeRef& definition = definitions_.at(found->second).tree;
      if (definition->kind() == TK_DEF) {
        return require_straight(definition, {}, entered);
      }
      if (const TreeRef init = method_of(definition, "__init__"); init) {
        return require_straight(init, definition, entered);
      }
      return;
    }
    if (type && called->kind() == '.' && dotted(called->tree(0)) == self) {
      if (const TreeRef method = method_of(type, Ident(called->tree(1)).name()); method) {
        return require_straight(method, type, entered);
      }
    }
    refuse_state(call, "calls " + (name.empty() ? std::string("something that has no name") : shown(name)));
  }

  /// A cast that nobody checks, to a class, would make another object pass for one.
  static void require_no_class(const TreeRef& call) {
    const auto inputs = torch::jit::Apply(call).inputs();
    if (inputs.empty()) {
      refuse_state(call, "casts nothing");
    }
    each_tree(inputs[0].tree(), [&](const TreeRef& tree) {
      if (tree->kind() == '.') {
        refuse_state(call, "casts to a class");
      }
      return true;
    });
  }

  std::vector<Definition> definitions_;
  std::unordered_map<std::string, std::size_t> by_name_;  ///< by key_of
};

}  // namespace

void look_at_depth(std::string_view code, const std::string& name) { DepthScanner(code, name).run(); }

void look_at_code(const std::map<std::string, std::string>& code, const std::vector<std::string>& classes,
                  bool is_trusted) {
  const Code parsed(code);
  parsed.require_shallow(classes);
  if (!is_trusted) {
    parsed.require_states_that_compute();
  }
}

}  // namespace pregrad::readers
