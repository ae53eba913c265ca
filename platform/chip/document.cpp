// SPDX-License-Identifier: Apache-2.0
// Prints what is generated from the table of keys. `chip_document schema`: platform/chips/chip.schema.json.
// `chip_document page < docs/chip.md`: the page with its table of keys up to date.
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "platform/chip/load.hpp"

namespace {

int page() {
  std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const std::string begin = "<!-- keys: printed by chip_document -->\n", end = "<!-- end of keys -->\n";
  const auto from = text.find(begin), to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    std::cerr << "chip_document: no place for the keys in the page\n";
    return 1;
  }
  std::cout << text.substr(0, from + begin.size()) << '\n'
            << forerun::chip::key_table() << '\n'
            << text.substr(to);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "page") return page();
  if (what != "schema") {
    std::cerr << "usage: chip_document schema | page\n";
    return 2;
  }
  std::cout << forerun::chip::json_schema().dump(2) << '\n';
  return 0;
}
