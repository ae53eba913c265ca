// SPDX-License-Identifier: Apache-2.0
/// A compiled model on the assembled chip, or on several joined by links, driven step by step as firmware
/// does it.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "ip/link/link.hpp"
#include "models/compiler/compiler.hpp"
#include "models/reference/reference_executor.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::tests {

namespace map = chip::address_map;
using namespace models;

inline chip::Chip chip_with(unsigned clusters, unsigned array = 64) {
  chip::Chip chip;
  chip.clusters.count = clusters;
  chip.clusters.tensor.rows = chip.clusters.tensor.columns = array;
  return chip;
}

/// The programs of all devices.
inline std::vector<Program> compile_all(const Model& model, const chip::Chip& chip, CompileOptions options) {
  std::vector<Program> programs;
  for (options.device = 0; options.device < chip.devices; ++options.device)
    programs.push_back(compile(model, chip, options));
  return programs;
}

/// A chip with a program in its memory, and a master on the control bus in the place of the CPU.
struct BenchDevice : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<BenchDevice> master{"master"};
  soc::Soc soc;
  Program program;

  BenchDevice(const sc_core::sc_module_name& name, const chip::Chip& chip, Program compiled, unsigned number)
      : sc_module(name),
        soc("soc", chip, {.with_cpu = false, .device = number}),
        program(std::move(compiled)) {
    master.bind(soc.bus.socket);
    for (const auto& segment : program.segments) soc.write(segment.address, segment.bytes);
    soc.write(program.header.load_address, make_head(program, true));
  }
  void poke(std::uint64_t address, std::uint64_t value, unsigned bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    auto delay = sc_core::SC_ZERO_TIME;
    master->b_transport(payload, delay);
    sc_core::wait(delay);
    ASSERT_TRUE(payload.is_response_ok()) << address;
  }
  template <typename T>
  std::vector<T> peek(std::uint64_t address, std::size_t count) {
    std::vector<T> values(count);
    soc.read(address, {reinterpret_cast<std::uint8_t*>(values.data()), count * sizeof(T)});
    return values;
  }
  void start(std::uint64_t parameters) {
    const auto head = make_head(program, true);
    for (unsigned c = 0; c < program.streams.size(); ++c) {
      fr_program_stream stream;
      std::memcpy(&stream, head.data() + sizeof(fr_program_header) + c * sizeof stream, sizeof stream);
      const auto at = map::cluster_registers(c);
      poke(at + FR_CLUSTER_STREAM, stream.address, 8);
      poke(at + FR_CLUSTER_STREAM_BYTES, stream.bytes, 8);
      poke(at + FR_CLUSTER_PARAMETERS, parameters, 8);
      poke(at + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START, 4);
    }
  }
  void await() {
    for (unsigned c = 0; c < program.streams.size(); ++c) {
      std::uint32_t status = FR_CLUSTER_STATUS_RUNNING;
      while ((status & FR_CLUSTER_STATUS_RUNNING) != 0) {
        sc_core::wait(100, sc_core::SC_NS);
        if (sc_core::sc_time_stamp() > sc_core::sc_time(1, sc_core::SC_SEC)) {
          ADD_FAILURE() << soc.describe_stall();
          sc_core::sc_stop();
          sc_core::wait();
        }
        status = peek<std::uint32_t>(map::cluster_registers(c) + FR_CLUSTER_STATUS, 1)[0];
      }
      const auto error = peek<std::uint32_t>(map::cluster_registers(c) + FR_CLUSTER_ERROR, 1)[0];
      EXPECT_EQ(status, FR_CLUSTER_STATUS_DONE)
          << name() << " cluster " << c << " error " << error << " at command "
          << peek<std::uint64_t>(map::cluster_registers(c) + FR_CLUSTER_ERROR_COMMAND, 1)[0];
    }
  }
};

/// What is written goes to all devices, what is read comes from the first or the one named.
struct Bench {
  std::vector<std::unique_ptr<BenchDevice>> devices;
  std::unique_ptr<ip::LinkNetwork> link;
  std::function<void()> script;
  const Program& program;  ///< of the first device

  Bench(const sc_core::sc_module_name& name, const chip::Chip& chip, Program compiled)
      : Bench(name, chip, std::vector<Program>{std::move(compiled)}) {}
  Bench(const sc_core::sc_module_name& name, const chip::Chip& chip, std::vector<Program> compiled)
      : devices(make(std::string(name), chip, std::move(compiled))), program(devices.front()->program) {
    if (chip.devices > 1) {
      link = std::make_unique<ip::LinkNetwork>("link", soc::link_parameters(chip, false));
      for (unsigned d = 0; d < chip.devices; ++d) {
        devices[d]->soc.to_link->bind(link->in[d]);
        link->out[d].bind(*devices[d]->soc.from_link);
      }
    }
    put_pages();
    sc_core::sc_spawn([this] { script(); }, sc_core::sc_gen_unique_name("script"));
  }
  template <typename T>
  std::vector<T> peek(std::uint64_t address, std::size_t count, std::size_t device = 0) {
    return devices[device]->peek<T>(address, count);
  }
  template <typename T>
  void put(std::uint64_t address, const std::vector<T>& values) {
    for (auto& device : devices)
      device->soc.write(address,
                        {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)});
  }
  /// Gives all sequences their pages, those of a sequence never side by side and the last ones first.
  void put_pages() {
    const auto& h = program.header;
    if (h.page_positions == 0) return;
    const auto each = (h.context + h.page_positions - 1) / h.page_positions;
    std::vector<std::uint64_t> table;
    for (std::uint32_t s = 0; s < h.sequences; ++s)
      for (std::uint32_t i = 0; i < each; ++i) table.push_back((each - 1 - i) * h.sequences + s);
    put(h.page_table, table);
  }
  /// One step; returns the id chosen after its last token.
  std::uint32_t step(std::uint64_t position, std::uint64_t tokens, std::uint64_t logit_rows,
                     bool sample = false, float temperature = 1, std::uint64_t seed = 0) {
    const auto& h = program.header;
    EXPECT_LE(tokens, h.max_tokens);
    std::vector<std::int64_t> p(FR_PARAMETERS);
    p[FR_PARAMETER_POSITION] = static_cast<std::int64_t>(position);
    p[FR_PARAMETER_TOKENS] = static_cast<std::int64_t>(tokens);
    p[FR_PARAMETER_LOGIT_ROWS] = static_cast<std::int64_t>(logit_rows);
    p[FR_PARAMETER_SAMPLE] = sample ? 1 : 0;
    p[FR_PARAMETER_TEMPERATURE] = std::bit_cast<std::uint32_t>(temperature);
    p[FR_PARAMETER_SEED_LOW] = static_cast<std::uint32_t>(seed);
    p[FR_PARAMETER_SEED_HIGH] = static_cast<std::int64_t>(seed >> 32);
    p[FR_PARAMETER_CHUNKS] = 1;
    run(p);
    return peek<std::uint32_t>(h.next_ids + (position + tokens - 1) * 4, 1)[0];
  }
  /// One token of each of so many sequences, at the same position; returns the ids chosen after them.
  std::vector<std::uint32_t> step_all(std::uint64_t position, std::uint32_t sequences) {
    return step_each(std::vector<std::uint64_t>(sequences, position));
  }
  /// One token of each sequence, at a position of its own; returns the ids chosen after them.
  std::vector<std::uint32_t> step_each(const std::vector<std::uint64_t>& positions) {
    const auto& h = program.header;
    const auto sequences = static_cast<std::uint32_t>(positions.size());
    std::vector<fr_chunk> chunks;
    for (std::uint32_t s = 0; s < sequences; ++s)
      chunks.push_back({static_cast<std::int64_t>(positions[s]), 1, s, s});
    put(h.chunks, chunks);
    std::vector<std::int64_t> p(FR_PARAMETERS);
    p[FR_PARAMETER_TOKENS] = p[FR_PARAMETER_LOGIT_ROWS] = p[FR_PARAMETER_CHUNKS] = sequences;
    run(p);
    std::vector<std::uint32_t> ids;
    for (std::uint32_t s = 0; s < sequences; ++s) {
      const auto at = h.next_ids + (std::uint64_t{s} * h.context + positions[s]) * 4;
      ids.push_back(peek<std::uint32_t>(at, 1)[0]);
      for (std::size_t d = 1; d < devices.size(); ++d) EXPECT_EQ(peek<std::uint32_t>(at, 1, d)[0], ids[s]);
    }
    return ids;
  }
  /// Tokens of the prompt of one sequence.
  void prefill(std::uint32_t sequence, std::uint64_t position, std::uint64_t tokens) {
    put(program.header.chunks, std::vector<fr_chunk>{{static_cast<std::int64_t>(position),
                                                      static_cast<std::int64_t>(tokens), 0, sequence}});
    std::vector<std::int64_t> p(FR_PARAMETERS);
    p[FR_PARAMETER_TOKENS] = static_cast<std::int64_t>(tokens);
    p[FR_PARAMETER_LOGIT_ROWS] = p[FR_PARAMETER_CHUNKS] = 1;
    run(p);
  }
  void run(std::vector<std::int64_t> p) {
    const auto& h = program.header;
    p[FR_PARAMETER_LAYERS] = h.layers;
    put(h.parameters, p);
    for (auto& device : devices) device->start(h.parameters);
    for (auto& device : devices) device->await();
  }

 private:
  static std::vector<std::unique_ptr<BenchDevice>> make(const std::string& name, const chip::Chip& chip,
                                                        std::vector<Program> programs) {
    std::vector<std::unique_ptr<BenchDevice>> devices;
    for (auto& program : programs) {
      const auto number = static_cast<unsigned>(devices.size());
      devices.push_back(std::make_unique<BenchDevice>((name + std::to_string(number)).c_str(), chip,
                                                      std::move(program), number));
    }
    return devices;
  }
};

/// Feeds `text` as a prefill of `prefill` tokens, then token by token; the largest error of a logit against
/// the golden executor, which is far off if the first one is.
inline double worst_error(const Model& model, const chip::Chip& chip, const CompileOptions& options,
                          const std::vector<std::uint32_t>& text, std::size_t prefill) {
  Bench bench("bench", chip, compile_all(model, chip, options));
  prefill = std::min<std::size_t>(prefill, bench.program.header.max_tokens);
  bench.put(bench.program.header.token_ids, text);
  bench.script = [&] {
    bench.step(0, prefill, prefill);
    for (std::size_t p = prefill; p < text.size(); ++p) bench.step(p, 1, 1);
  };
  sc_core::sc_start();
  ReferenceExecutor reference(model, options.context);
  double worst = 0;
  for (std::size_t p = 0; p < text.size(); ++p) {
    const auto expected = reference.step(text[p]);
    // Of the first device: the others may have the devices' columns in another order.
    const auto at = bench.program.header.logits + p * expected.size() * 4;
    const auto row = bench.peek<float>(at, expected.size());
    for (std::size_t i = 0; i < row.size(); ++i)
      worst = std::isnan(row[i]) ? 1e9 : std::max(worst, std::abs(row[i] - expected[i]));
    EXPECT_LT(worst, 2) << "position " << p;
    if (worst >= 2) break;
    const auto best = static_cast<std::uint32_t>(std::max_element(row.begin(), row.end()) - row.begin());
    for (std::size_t d = 0; d < bench.devices.size() && p + 1 >= prefill; ++d)
      EXPECT_EQ(bench.peek<std::uint32_t>(bench.program.header.next_ids + p * 4, 1, d)[0], best) << p;
  }
  return worst;
}

}  // namespace forerun::tests
