// SPDX-License-Identifier: Apache-2.0
/// Benches for bridges: lists of transactions, initiators with many under way, and a memory that answers late
/// and out of order.
#pragma once

#include <gmock/gmock.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/method.hpp"
#include "ip/base/payload.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip::cosim {

using ByteList = std::vector<unsigned char>;

inline ByteList counting(std::size_t length, unsigned from = 1) {
  ByteList bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<unsigned char>(from + i);
  return bytes;
}

/// One line of a list of transactions.
struct Transaction {
  tlm::tlm_command command;
  std::uint64_t address;
  ByteList data;  ///< to write, or expected
  std::string reason;
  ByteList enables{};
  unsigned streaming = 0;
  tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
  std::int64_t pause_ps = 0, annotated_ps = 0;

  Transaction after(std::int64_t pause, std::int64_t annotated) && {
    return pause_ps = pause, annotated_ps = annotated, std::move(*this);
  }
  Transaction only(ByteList bytes) && { return enables = std::move(bytes), std::move(*this); }
  Transaction stream(unsigned width) && { return streaming = width, std::move(*this); }
  Transaction gets(tlm::tlm_response_status response) && { return status = response, std::move(*this); }
};
inline Transaction Write(std::uint64_t address, ByteList data, std::string reason = {}) {
  return {tlm::TLM_WRITE_COMMAND, address, std::move(data), std::move(reason)};
}
inline Transaction Read(std::uint64_t address, ByteList expected, std::string reason = {}) {
  return {tlm::TLM_READ_COMMAND, address, std::move(expected), std::move(reason)};
}

/// Runs a list by b_transport, one after another.
struct ListInitiator : sc_core::sc_module {
  explicit ListInitiator(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(ListInitiator);
    SC_THREAD(run);
  }
  tlm_utils::simple_initiator_socket<ListInitiator> socket{"socket"};
  std::vector<Transaction> list;
  bool finished = false;
  std::vector<std::int64_t> ends_ps;

  void run() {
    for (auto& one : list) {
      ByteList data = one.command == tlm::TLM_READ_COMMAND ? ByteList(one.data.size(), 0xee) : one.data;
      tlm::tlm_generic_payload payload;
      payload.set_command(one.command);
      payload.set_address(one.address);
      payload.set_data_ptr(data.data());
      payload.set_data_length(static_cast<unsigned>(data.size()));
      payload.set_streaming_width(one.streaming != 0 ? one.streaming : static_cast<unsigned>(data.size()));
      if (!one.enables.empty()) {
        payload.set_byte_enable_ptr(one.enables.data());
        payload.set_byte_enable_length(static_cast<unsigned>(one.enables.size()));
      }
      if (one.pause_ps != 0) wait(to_sc_time({one.pause_ps}));
      auto delay = to_sc_time({one.annotated_ps});
      socket->b_transport(payload, delay);
      EXPECT_EQ(payload.get_response_status(), one.status)
          << payload.get_response_string() << ": " << one.reason;
      if (one.status == tlm::TLM_OK_RESPONSE) {
        EXPECT_EQ(data, one.data) << one.reason;
      }
      ends_ps.push_back(now_picoseconds());
    }
    finished = true;
  }
};

/// Reads and writes at random addresses of its own range by nb_transport, many under way, and compares what
/// it reads with a plain memory.
struct RandomInitiator : sc_core::sc_module {
  struct Settings {
    std::uint64_t base = 0, size = 4096;
    unsigned count = 300, window = 8, longest = 300, seed = 1;
    bool enables = true, streaming = true;
    bool late_end_response = true;  // now and then
    unsigned granule = 0;           // of whose multiples none is crossed; 0: any
  };
  RandomInitiator(const sc_core::sc_module_name& name, const Settings& settings_in)
      : sc_module(name),
        settings(settings_in),
        random(settings_in.seed),
        plain(settings_in.size),
        pool(settings_in.longest) {
    socket.register_nb_transport_bw(this, &RandomInitiator::nb_transport_bw);
    add_method("work", {&work}, [this] { send(); });
    work.notify(sc_core::SC_ZERO_TIME);
  }
  bool finished() const { return sent == settings.count && under_way.empty(); }

  struct Job {
    tlm::tlm_generic_payload* payload;
    std::uint64_t from, to;
    ByteList expected, enables;
  };
  void send() {
    if (end_response != nullptr) {
      auto& payload = *std::exchange(end_response, nullptr);
      tlm::tlm_phase phase = tlm::END_RESP;
      auto delay = sc_core::SC_ZERO_TIME;
      socket->nb_transport_fw(payload, phase, delay);
      complete(payload);
    }
    while (requesting == nullptr && sent < settings.count && under_way.size() < settings.window) {
      const unsigned length = 1 + number(number(2) == 0 ? settings.longest - 1 : 19);
      const unsigned width =
          settings.streaming && number(5) == 0 ? 1 + number(std::min(length, 16u) - 1) : length;
      auto offset = number(static_cast<unsigned>(settings.size) - length);
      if (settings.granule != 0 && offset % settings.granule + length > settings.granule)
        offset -= offset % settings.granule;
      const bool write = number(1) == 0;
      // One that depends on another under way waits for it, as its order is nobody's duty but ours.
      if (std::any_of(under_way.begin(), under_way.end(),
                      [&](const auto& job) { return offset < job->to && job->from < offset + width; }))
        break;
      auto job = std::make_unique<Job>();
      auto& payload = pool.acquire(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND,
                                   settings.base + offset, length);
      job->payload = &payload;
      job->from = offset;
      job->to = offset + width;
      payload.set_streaming_width(width);
      if (settings.enables && number(2) == 0) {
        job->enables.resize(1 + number(length - 1));
        for (auto& enable : job->enables) enable = number(2) == 0 ? 0 : 0xff;
        payload.set_byte_enable_ptr(job->enables.data());
        payload.set_byte_enable_length(static_cast<unsigned>(job->enables.size()));
      }
      auto* const data = payload.get_data_ptr();
      for (unsigned i = 0; i < length; ++i) data[i] = static_cast<unsigned char>(random());
      job->expected.assign(data, data + length);
      for (unsigned i = 0; i < length; ++i) {
        if (!job->enables.empty() && job->enables[i % job->enables.size()] == 0) continue;
        auto& there = plain[offset + i % width];
        if (write)
          there = data[i];
        else
          job->expected[i] = there;
      }
      under_way.push_back(std::move(job));
      most_under_way = std::max(most_under_way, under_way.size());
      ++sent;
      requesting = &payload;
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      auto delay = to_sc_time({number(3) == 0 ? number(5000) : 0});
      const auto sync = socket->nb_transport_fw(payload, phase, delay);
      if (sync != tlm::TLM_ACCEPTED) requesting = nullptr;
      ASSERT_TRUE(sync != tlm::TLM_UPDATED || phase == tlm::END_REQ);
      if (sync == tlm::TLM_COMPLETED) complete(payload);
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time&) {
    if (requesting == &payload) requesting = nullptr;
    work.notify(to_sc_time({number(1) * 3000}));
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    EXPECT_EQ(end_response, nullptr) << "BEGIN_RESP before END_RESP of the one before";
    if (settings.late_end_response && number(1) == 0) {
      end_response = &payload;
      return tlm::TLM_ACCEPTED;
    }
    complete(payload);
    return tlm::TLM_COMPLETED;
  }
  void complete(tlm::tlm_generic_payload& payload) {
    const auto place = std::find_if(under_way.begin(), under_way.end(),
                                    [&](const auto& job) { return job->payload == &payload; });
    ASSERT_NE(place, under_way.end());
    if (!payload.is_response_ok()) ++errors;
    if (place != under_way.begin()) ++overtakings;
    const auto& expected = (*place)->expected;
    if (!std::equal(expected.begin(), expected.end(), payload.get_data_ptr())) ++mismatches;
    payload.set_byte_enable_ptr(nullptr);
    under_way.erase(place);
    payload.release();
  }
  unsigned number(unsigned most) { return static_cast<unsigned>(random() % (most + 1)); }

  tlm_utils::simple_initiator_socket<RandomInitiator> socket{"socket"};
  Settings settings;
  std::mt19937 random;
  ByteList plain;
  PayloadPool pool;
  std::vector<std::unique_ptr<Job>> under_way;
  std::size_t most_under_way = 0;
  unsigned sent = 0, overtakings = 0, mismatches = 0, errors = 0;
  tlm::tlm_generic_payload *requesting = nullptr, *end_response = nullptr;
  sc_core::sc_event work;
};

/// Takes requests by nb_transport and answers each after its own random time. From `end_of_writes` on writes
/// get TLM_GENERIC_ERROR_RESPONSE, beyond the bytes TLM_ADDRESS_ERROR_RESPONSE.
struct LateMemory : sc_core::sc_module {
  LateMemory(const sc_core::sc_module_name& name, std::size_t size, std::int64_t longest_ps,
             unsigned seed = 1)
      : sc_module(name), bytes(size), end_of_writes(size), longest(longest_ps), random(seed) {
    socket.register_nb_transport_fw(this, &LateMemory::nb_transport_fw);
    add_method("answer", {&answer_event}, [this] { answer(); });
  }
  void move(tlm::tlm_generic_payload& payload) {
    const auto first = payload.get_address();
    const auto width = payload.get_streaming_width();
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (first + std::min(width, payload.get_data_length()) > bytes.size()) return;
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    if (payload.is_write() && first >= end_of_writes) return;
    for_enabled_bytes(payload, [&](unsigned offset, unsigned count) {
      for (unsigned i = offset; i < offset + count; ++i) {
        auto& there = bytes[first + i % width];
        auto& here = payload.get_data_ptr()[i];
        payload.is_write() ? there = here : here = there;
      }
    });
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) {
    EXPECT_EQ(phase, tlm::BEGIN_REQ);
    seen.push_back({payload.is_write(), payload.get_address(), payload.get_data_length(),
                    payload.get_streaming_width()});
    move(payload);
    const auto latency = longest == 0 ? 0 : static_cast<std::int64_t>(random()) % longest;
    switch (random() % 3) {
      case 0:
        delay += to_sc_time({latency});
        return tlm::TLM_COMPLETED;
      case 1:
        phase = tlm::END_REQ;
        delay += to_sc_time({500});
        break;
      default:
        break;
    }
    payload.acquire();
    waiting.push_back({now_picoseconds() + latency, &payload});
    answer_event.notify(to_sc_time({0}));
    return phase == tlm::END_REQ ? tlm::TLM_UPDATED : tlm::TLM_ACCEPTED;
  }
  void answer() {
    const auto now = now_picoseconds();
    std::int64_t next = -1;
    for (std::size_t i = 0; i < waiting.size();) {
      auto [when, payload] = waiting[i];
      if (when > now) {
        next = next < 0 ? when : std::min(next, when);
        ++i;
        continue;
      }
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
      tlm::tlm_phase phase = tlm::BEGIN_RESP;
      auto delay = to_sc_time({static_cast<std::int64_t>(random() % 2 * 700)});
      EXPECT_EQ(socket->nb_transport_bw(*payload, phase, delay), tlm::TLM_COMPLETED);
      payload->release();
    }
    if (!waiting.empty() && next >= 0) answer_event.notify(to_sc_time({next - now}));
  }
  struct Seen {
    bool write;
    std::uint64_t address;
    unsigned length, width;
    bool operator==(const Seen&) const = default;
  };
  tlm_utils::simple_target_socket<LateMemory> socket{"socket"};
  ByteList bytes;
  std::uint64_t end_of_writes;
  std::int64_t longest;
  std::mt19937 random;
  std::vector<Seen> seen;
  std::vector<std::pair<std::int64_t, tlm::tlm_generic_payload*>> waiting;
  sc_core::sc_event answer_event;
};

}  // namespace forerun::ip::cosim
