// SPDX-License-Identifier: Apache-2.0
/// What a run of a model did, in numbers. Rates are over simulated time; fractions are of the physical peak.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ip/hbm/statistics.hpp"
#include "models/import/model.hpp"
#include "models/import/number_formats.hpp"
#include "platform/chip/chip.hpp"
#include "platform/report/explain.hpp"
#include "platform/sim/inference.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::report {

/// A part of the run: all of it, up to the first token, or the tokens after it.
struct Phase {
  std::string name;
  std::uint64_t steps = 0, tokens = 0;  ///< tokens fed
  double seconds = 0;
  std::uint64_t cycles = 0;                           ///< cluster clock cycles in which a step was under way
  std::uint64_t bytes_read = 0, bytes_written = 0;    ///< of HBM
  double bandwidth = 0, bandwidth_fraction = 0;       ///< bytes a second
  double operations = 0;                              ///< two a multiply-accumulate
  double operation_rate = 0, operation_fraction = 0;  ///< a second
};

/// One kind of engine, over all clusters that took part.
struct EngineUse {
  std::string name;
  std::uint64_t commands = 0;
  double busy = 0;       ///< fraction of the run in which it executed a command
  double semaphore = 0;  ///< fraction in which its next command waited for a semaphore
  double operands = 0;   ///< fraction in which the scratchpad held it up while busy; tensor and vector only
};

struct Channel {
  std::string name;  ///< "hbm0.channel3"
  std::uint64_t bytes_read = 0, bytes_written = 0, row_hits = 0, row_misses = 0, row_conflicts = 0,
                refreshes = 0;
  double bandwidth = 0, bandwidth_fraction = 0;
  double queue = 0;                              ///< mean bursts that the scheduler saw
  double joules = 0;                             ///< of commands and background
  std::array<double, ip::hbm::limits> limits{};  ///< shares of the data buses' time, by ip::hbm::Limit
};

struct Link {
  std::string name;
  std::uint64_t flits = 0;
  double busy = 0, blocked = 0;  ///< fractions of the run
};

/// An operator of the model: time that its commands took, summed over clusters and engines' means.
struct OperatorUse {
  std::string name;
  double load = 0, store = 0, tensor = 0, vector = 0, collective = 0;  ///< seconds, mean over the clusters
};

/// Speculative decoding. Times are of steps, without what firmware does between them.
struct DraftUse {
  std::string model;  ///< empty: there was no draft
  std::string format;
  unsigned clusters = 0;  ///< that took part in its steps
  std::uint64_t layers = 0, layers_simulated = 0;
  std::uint64_t tokens_asked = 0;       ///< to draft in a round
  std::uint64_t rounds = 0;             ///< steps that verified drafted tokens
  std::uint64_t steps = 0;              ///< of the draft, in rounds
  std::uint64_t drafted = 0, kept = 0;  ///< tokens
  double tokens_per_round = 0;          ///< kept ones, and the one that the model chose behind them
  double prompt_seconds = 0;            ///< in which it read the prompt
  double draft_seconds = 0, verify_seconds = 0, round_seconds = 0;  ///< of all rounds; the last with firmware
  double kept_share() const {
    return drafted > 0 ? static_cast<double>(kept) / static_cast<double>(drafted) : 0;
  }
};

/// One of several devices in the run. Fractions are means over its clusters.
struct DeviceUse {
  unsigned number = 0;
  std::uint64_t bytes_read = 0, bytes_written = 0;    ///< of HBM
  double bandwidth = 0, bandwidth_fraction = 0;       ///< bytes a second
  double operation_rate = 0, operation_fraction = 0;  ///< a second
  double tensor = 0;                                  ///< fraction of the run in which the arrays were busy
  double collective = 0;                              ///< in which a collective command was under way
  double posts = 0;                                   ///< in which that waited for other devices or clusters
};

/// One direction of a link between devices, over the whole simulation.
struct DeviceLink {
  std::string name;                       ///< "0->1"
  std::uint64_t messages = 0, bytes = 0;  ///< on the wire
  double bandwidth = 0, busy = 0;         ///< bytes a second, fraction
  double wait = 0;                        ///< mean seconds that a message waited for others
};

/// A block that was RTL in this run.
struct RtlUse {
  std::string name;   ///< "tensor"
  std::string model;  ///< what it was, and whether compared
  std::uint64_t instances = 0;
  std::uint64_t commands = 0;  ///< executed, or transactions carried
  std::uint64_t cycles = 0;    ///< clock cycles evaluated, summed over the instances
  std::vector<std::pair<std::string, std::uint64_t>> fall_backs;  ///< commands left to the model, by reason
  std::uint64_t broken_rules = 0;                                 ///< of AXI, at its pins
  std::vector<std::string> first_broken_rules;
  double host_seconds = 0;            ///< CPU time in it
  std::string unit = "transactions";  ///< what `commands` counts
  double hook_seconds = 0;            ///< CPU time in it, its bridges and protocol checkers
  double waited_seconds = 0;          ///< for it, in another process
  bool has_checkers = false;          ///< of AXI protocols
  std::uint64_t compared = 0;         ///< of these compared with the model's
  std::string compared_unit = "transactions";
};

struct Report {
  std::string chip, model, format, timing, data;
  std::string weights, activations, kv;  ///< number formats
  unsigned clusters = 0;                 ///< that took part
  std::string phase;                     ///< "prefill", "decode" or "operator", or empty for the first two
  std::uint64_t sequences = 0;
  std::uint64_t context_least = 0, context_most = 0;  ///< of the sequences: cached positions and given tokens
  std::uint64_t given = 0, generated = 0;
  std::uint64_t layers = 0,
                layers_simulated = 0;  ///< of the model; the others of a step were counted instead
  double repetition_error = 0;         ///< of the time: the standard error of what was counted
  double counted_seconds = 0;          ///< of the time, what was counted instead of simulated
  double boot_seconds = 0;             ///< power-on to the request
  double first_token_seconds = 0;      ///< request to the first token of each sequence; 0 with a phase alone
  double phase_seconds = 0;            ///< of the steps of a prefill or a matrix product alone
  double token_seconds = 0;  ///< mean of the steps after it, with a draft of tokens; 0: there are none
  double token_seconds_least = 0, token_seconds_most = 0;
  double tokens_per_second = 0;  ///< of the tokens after the first, of all sequences
  DraftUse draft;
  std::vector<Phase> phases;
  double peak_bandwidth = 0, peak_operation_rate = 0;
  std::vector<EngineUse> engines;
  double command_fetch = 0, command_queue = 0;  ///< fractions in which the command processors waited
  std::vector<Channel> channels;
  std::uint64_t noc_packets = 0, noc_flits = 0;
  double noc_latency = 0;   ///< mean seconds of a packet
  std::vector<Link> links;  ///< all, the busiest first
  std::vector<OperatorUse> operators;
  std::vector<OperatorBound> bounds;  ///< empty unless asked for
  unsigned device_count = 1;
  bool symmetric = false;  ///< one of the devices was simulated
  // Of several devices; phases, engines, channels, network and operators are those of the first:
  std::vector<DeviceUse> devices;  ///< that were simulated
  std::vector<DeviceLink> device_links;
  std::uint64_t instructions = 0, cpu_cycles = 0, cpu_sleep_cycles = 0;  ///< 0 when firmware ran natively
  double simulated_seconds = 0;                                          ///< of the whole simulation
  std::uint64_t simulated_cycles = 0;                                    ///< of the cluster clock
  std::vector<RtlUse> rtl;
  /// Of AXI, by all RTL.
  std::uint64_t broken_rules() const {
    std::uint64_t sum = 0;
    for (const auto& use : rtl) sum += use.broken_rules;
    return sum;
  }
  // Of the host, different in every run:
  double host_seconds = 0, host_setup_seconds = 0;
  double host_cpu_seconds = 0;  ///< as host_seconds, of this process's CPU time
  /// CPU time for RTL, its bridges and protocol checkers, and what was waited for RTL in other processes.
  double rtl_seconds() const {
    double sum = 0;
    for (const auto& use : rtl) sum += std::max(use.host_seconds, use.hook_seconds) + use.waited_seconds;
    return sum;
  }
  /// The simulation's time in units of what is not rtl_seconds() of it; 0 when nothing is left.
  double times_with_rtl() const {
    double total = host_cpu_seconds;
    for (const auto& use : rtl) total += use.waited_seconds;
    return total > rtl_seconds() ? total / (total - rtl_seconds()) : 0;
  }
};

/// Fills in what there is on devices and links.
void collect_devices(const sim::Simulation& simulation, const sim::Inference& inference, chip::Format format,
                     Report& report);
/// Empty without `bounds`.
std::string explanation_text(const Report& report);
/// Empty without a draft.
std::string draft_text(const Report& report);
/// Fills in what there is on speculative decoding, but for the draft's name and format.
void collect_draft(const sim::Inference& inference, DraftUse& use);
/// Empty for a single device.
std::string devices_text(const Report& report);

/// After the simulation; `inference` must have finished.
Report make_report(const sim::Simulation& simulation, const sim::Inference& inference,
                   const models::ModelConfig& model, const models::NumberFormats& formats,
                   const sim::Outcome& outcome, double setup_seconds);

std::string to_text(const Report& report);
/// Everything that depends on the host is in the object "host", the last.
std::string to_json(const Report& report);

/// What kept the data buses of a channel from working, the largest share first: "activation 12 %, refresh 9
/// %".
std::string limited_by(const Channel& channel);

/// Three digits and a prefix: "1.23 ms", "819 GB/s".
std::string quantity(double value, std::string_view unit);
std::string percent(double fraction);

}  // namespace forerun::report
