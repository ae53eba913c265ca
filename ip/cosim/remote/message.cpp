// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/remote/message.hpp"

#include <cstring>
#include <type_traits>

namespace forerun::ip::cosim::remote {
namespace {

constexpr char magic[] = "FRLINK";
enum class Kind : std::uint8_t { hello = 1, welcome, run, ran, bye };

class Writer {
 public:
  explicit Writer(Kind kind) { put(kind); }
  template <typename T>
  void put(T value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(&bytes_[at], &value, sizeof value);
  }
  void put(const std::vector<std::uint8_t>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    bytes_.insert(bytes_.end(), values.begin(), values.end());
  }
  void put(const std::string& text) { put(std::vector<std::uint8_t>(text.begin(), text.end())); }
  void put(const AxiShape& shape, bool there) {
    put(there ? shape.data_bytes : 0u);
    put(shape.id_bits);
    put(shape.address_bits);
    put(shape.lite);
  }
  void put(const std::vector<Request>& requests) {
    put(static_cast<std::uint32_t>(requests.size()));
    for (const auto& request : requests) {
      const auto& b = request.burst;
      put(request.handle);
      put(b.write);
      put(b.id);
      put(b.address);
      put(b.beats);
      put(b.size);
      put(b.kind);
      put(b.lock);
      put(b.cache);
      put(b.prot);
      put(b.qos);
      put(b.region);
      put(b.length);
      put(b.fixed_bytes);
      put(request.data);
      put(request.enables);
    }
  }
  void put(const std::vector<Answer>& answers) {
    put(static_cast<std::uint32_t>(answers.size()));
    for (const auto& answer : answers) {
      put(answer.handle);
      put(answer.response);
      put(answer.data);
    }
  }
  MessageBytes take() { return std::move(bytes_); }

 private:
  MessageBytes bytes_;
};

class Reader {
 public:
  Reader(const MessageBytes& bytes, Kind expected) : bytes_(bytes) {
    Kind kind{};
    get(kind);
    if (kind == Kind::bye) {
      std::vector<std::uint8_t> reason;
      get(reason);
      throw ChannelError("the peer ends: " + std::string(reason.begin(), reason.end()));
    }
    if (kind != expected) fail();
  }
  template <typename T>
  void get(T& value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    if (bytes_.size() - at_ < sizeof value) fail();
    if constexpr (std::is_same_v<T, bool>) {
      if (bytes_[at_] > 1) fail();
      value = bytes_[at_] != 0;
    } else {
      std::memcpy(&value, &bytes_[at_], sizeof value);
    }
    at_ += sizeof value;
  }
  void get(std::vector<std::uint8_t>& values) {
    std::uint32_t size = 0;
    get(size);
    if (bytes_.size() - at_ < size) fail();
    values.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                  bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + size));
    at_ += size;
  }
  bool get(AxiShape& shape) {
    get(shape.data_bytes);
    get(shape.id_bits);
    get(shape.address_bits);
    get(shape.lite);
    return shape.data_bytes != 0;
  }
  void get(std::vector<Request>& requests) {
    std::uint32_t count = 0;
    get(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& request = requests.emplace_back();
      auto& b = request.burst;
      get(request.handle);
      get(b.write);
      get(b.id);
      get(b.address);
      get(b.beats);
      get(b.size);
      get(b.kind);
      get(b.lock);
      get(b.cache);
      get(b.prot);
      get(b.qos);
      get(b.region);
      get(b.length);
      get(b.fixed_bytes);
      get(request.data);
      get(request.enables);
      const bool sound = b.beats >= 1 && b.beats <= 256 && b.size <= 7 && b.kind <= BurstKind::reserved &&
                         b.length <= b.beats * most_data_bytes &&
                         request.data.size() == (b.write ? b.length : 0) &&
                         (request.enables.empty() || request.enables.size() == b.length);
      if (!sound) fail();
      if (!b.write) request.data.resize(b.length);
    }
  }
  void get(std::vector<Answer>& answers) {
    std::uint32_t count = 0;
    get(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& answer = answers.emplace_back();
      get(answer.handle);
      get(answer.response);
      get(answer.data);
      if (answer.response > Response::decerr) fail();
    }
  }
  void finish() {
    if (at_ != bytes_.size()) fail();
  }
  [[noreturn]] static void fail() { throw ChannelError("the peer does not speak this protocol"); }

 private:
  const MessageBytes& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

MessageBytes encode(const Hello& hello) {
  Writer writer(Kind::hello);
  writer.put(std::string(magic));
  writer.put(version);
  writer.put(hello.subordinate, true);
  writer.put(hello.manager, hello.has_manager);
  return writer.take();
}

Hello decode_hello(const MessageBytes& message) {
  Reader reader(message, Kind::hello);
  std::vector<std::uint8_t> word;
  std::uint32_t number = 0;
  reader.get(word);
  reader.get(number);
  if (std::string(word.begin(), word.end()) != magic) Reader::fail();
  if (number != version)
    throw ChannelError("the peer speaks version " + std::to_string(number) + " of the protocol, expected " +
                       std::to_string(version));
  Hello hello;
  if (!reader.get(hello.subordinate)) Reader::fail();
  hello.has_manager = reader.get(hello.manager);
  reader.finish();
  return hello;
}

MessageBytes encode_welcome(std::uint64_t period_ps) {
  Writer writer(Kind::welcome);
  writer.put(period_ps);
  return writer.take();
}

std::uint64_t decode_welcome(const MessageBytes& message) {
  Reader reader(message, Kind::welcome);
  std::uint64_t period = 0;
  reader.get(period);
  reader.finish();
  return period;
}

MessageBytes encode_bye(const std::string& reason) {
  Writer writer(Kind::bye);
  writer.put(reason);
  return writer.take();
}

MessageBytes encode(const Run& run) {
  Writer writer(Kind::run);
  writer.put(run.first_cycle);
  writer.put(run.cycles);
  writer.put(run.requests);
  writer.put(run.answers);
  return writer.take();
}

Run decode_run(const MessageBytes& message) {
  Reader reader(message, Kind::run);
  Run run;
  reader.get(run.first_cycle);
  reader.get(run.cycles);
  reader.get(run.requests);
  reader.get(run.answers);
  reader.finish();
  if (run.cycles == 0) Reader::fail();
  return run;
}

MessageBytes encode(const Ran& ran) {
  Writer writer(Kind::ran);
  writer.put(ran.cycles);
  writer.put(ran.idle);
  writer.put(ran.interrupt);
  writer.put(ran.answers);
  writer.put(ran.requests);
  writer.put(ran.broken_rules);
  writer.put(static_cast<std::uint32_t>(ran.broken.size()));
  for (const auto& text : ran.broken) writer.put(text);
  return writer.take();
}

Ran decode_ran(const MessageBytes& message) {
  Reader reader(message, Kind::ran);
  Ran ran;
  reader.get(ran.cycles);
  reader.get(ran.idle);
  reader.get(ran.interrupt);
  reader.get(ran.answers);
  reader.get(ran.requests);
  reader.get(ran.broken_rules);
  std::uint32_t texts = 0;
  reader.get(texts);
  if (texts > ran.broken_rules) Reader::fail();
  for (std::uint32_t i = 0; i < texts; ++i) {
    std::vector<std::uint8_t> text;
    reader.get(text);
    ran.broken.emplace_back(text.begin(), text.end());
  }
  reader.finish();
  return ran;
}

Request request_for(std::uint32_t handle, const AxiBurst& burst) {
  Request request{handle, burst, {}, {}};
  if (burst.write) request.data.assign(burst.data, burst.data + burst.length);
  if (burst.enables != nullptr)
    for (unsigned i = 0; i < burst.length; ++i) request.enables.push_back(burst.enabled(i) ? 0xff : 0);
  return request;
}

}  // namespace forerun::ip::cosim::remote
