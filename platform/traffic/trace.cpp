// SPDX-License-Identifier: Apache-2.0
#include "platform/traffic/trace.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "platform/chip/quantity.hpp"
#include "platform/traffic/experiment.hpp"

namespace forerun::traffic {
namespace {

class TraceSource : public ip::RequestSource {
 public:
  TraceSource(std::vector<ip::TrafficRequest> requests, std::uint64_t base)
      : requests_(std::move(requests)), base_(base) {}
  bool next(ip::TrafficRequest& request) override {
    if (at_ == requests_.size()) return false;
    request = requests_[at_++];
    request.address += base_;
    return true;
  }

 private:
  std::vector<ip::TrafficRequest> requests_;
  std::uint64_t base_;
  std::size_t at_ = 0;
};

/// Decimal, or hexadecimal behind 0x.
bool number(const std::string& text, std::uint64_t& value) {
  const bool hexadecimal = text.starts_with("0x");
  const auto* const begin = text.data() + (hexadecimal ? 2 : 0);
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value, hexadecimal ? 16 : 10);
  return error == std::errc() && stop == end && begin != end;
}

}  // namespace

std::vector<std::vector<ip::TrafficRequest>> read_trace(const std::string& file, unsigned generators,
                                                        std::uint64_t size) {
  std::ifstream stream(file);
  if (!stream) throw ExperimentError(file + ": cannot be read");
  std::vector<std::vector<ip::TrafficRequest>> requests(generators);
  std::string line;
  std::int64_t before = 0;
  for (std::size_t at = 1; std::getline(stream, line); ++at) {
    const auto fail = [&](const std::string& what) {
      throw ExperimentError(fmt::format("{}:{}: {}", file, at, what));
    };
    line.resize(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string value, unit, operation, address, bytes, generator = "0";
    if (!(words >> value)) continue;
    std::uint64_t to = 0, length = 0, from = 0;
    std::string extra, problem;
    if (!(words >> unit >> operation >> address >> bytes))
      fail("expected a time with its unit, R or W, address, bytes, generator");
    words >> generator;
    if (words >> extra) fail(fmt::format("found '{}' behind the generator", extra.substr(0, 40)));
    const auto time = chip::parse<Time>(value + " " + unit, problem);
    if (!time)
      fail(fmt::format("found '{} {}', expected a time such as 14 ns", value.substr(0, 40),
                       unit.substr(0, 40)));
    if (time->picoseconds < before) fail("earlier than the line before");
    before = time->picoseconds;
    if (operation != "R" && operation != "W")
      fail(fmt::format("found '{}', expected R or W", operation.substr(0, 40)));
    if (!number(address, to)) fail(fmt::format("found '{}', expected an address", address.substr(0, 40)));
    if (!number(bytes, length) || length == 0 || length > 65536)
      fail(fmt::format("found '{}', expected 1 to 65536 bytes", bytes.substr(0, 40)));
    if (to >= size || length > size - to)
      fail(fmt::format("address {:#x} and {} bytes are not below {:#x}", to, length, size));
    if (!number(generator, from) || from >= generators)
      fail(fmt::format("found generator '{}', expected 0 to {}", generator.substr(0, 40), generators - 1));
    requests[from].push_back({time->picoseconds, to, static_cast<std::uint32_t>(length), operation == "W"});
  }
  return requests;
}

std::unique_ptr<ip::RequestSource> make_trace_source(std::vector<ip::TrafficRequest> requests,
                                                     std::uint64_t base) {
  return std::make_unique<TraceSource>(std::move(requests), base);
}

}  // namespace forerun::traffic
