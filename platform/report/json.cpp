// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "platform/report/report.hpp"

namespace forerun::report {

using Json = nlohmann::ordered_json;

static void to_json(Json& j, const Phase& p) {
  j = {{"name", p.name},
       {"steps", p.steps},
       {"tokens", p.tokens},
       {"seconds", p.seconds},
       {"cluster_cycles", p.cycles},
       {"hbm_bytes_read", p.bytes_read},
       {"hbm_bytes_written", p.bytes_written},
       {"hbm_bytes_per_second", p.bandwidth},
       {"hbm_fraction_of_peak", p.bandwidth_fraction},
       {"operations", p.operations},
       {"operations_per_second", p.operation_rate},
       {"operations_fraction_of_peak", p.operation_fraction}};
}

static void to_json(Json& j, const EngineUse& e) {
  j = {{"name", e.name},
       {"commands", e.commands},
       {"busy", e.busy},
       {"waits_for_semaphore", e.semaphore},
       {"waits_for_operands", e.operands}};
}

static void to_json(Json& j, const Channel& c) {
  Json limits;
  for (std::size_t i = 0; i < ip::hbm::limits; ++i)
    limits[std::string(ip::hbm::limit_names[i])] = c.limits[i];
  j = {{"name", c.name},
       {"bytes_read", c.bytes_read},
       {"bytes_written", c.bytes_written},
       {"bytes_per_second", c.bandwidth},
       {"fraction_of_peak", c.bandwidth_fraction},
       {"row_hits", c.row_hits},
       {"row_misses", c.row_misses},
       {"row_conflicts", c.row_conflicts},
       {"refreshes", c.refreshes},
       {"mean_queue", c.queue},
       {"joules", c.joules},
       {"time_fractions", limits}};
}

static void to_json(Json& j, const Link& l) {
  j = {{"name", l.name}, {"flits", l.flits}, {"busy", l.busy}, {"blocked", l.blocked}};
}

static void to_json(Json& j, const OperatorUse& o) {
  j = {{"name", o.name},
       {"load_seconds", o.load},
       {"store_seconds", o.store},
       {"tensor_seconds", o.tensor},
       {"vector_seconds", o.vector}};
  if (o.collective > 0) j["collective_seconds"] = o.collective;
}

static void to_json(Json& j, const OperatorBound& b) {
  Json ideal;
  for (std::size_t r = 0; r < resource_names.size(); ++r) ideal[resource_names[r]] = b.ideal[r];
  const double bound = b.ideal[static_cast<std::size_t>(b.bound)];
  j = {{"name", b.name},
       {"seconds", b.seconds},
       {"ideal_seconds", ideal},
       {"bound_by", resource_names[static_cast<std::size_t>(b.bound)]},
       {"utilisation", b.seconds > 0 ? bound / b.seconds : 0},
       {"engine_busy_seconds", b.busy},
       {"gap_seconds", b.seconds - bound},
       {"gap", b.gap}};
}

static void to_json(Json& j, const DeviceUse& d) {
  j = {{"number", d.number},
       {"hbm_bytes_read", d.bytes_read},
       {"hbm_bytes_written", d.bytes_written},
       {"hbm_bytes_per_second", d.bandwidth},
       {"hbm_fraction_of_peak", d.bandwidth_fraction},
       {"operations_per_second", d.operation_rate},
       {"operations_fraction_of_peak", d.operation_fraction},
       {"tensor_busy", d.tensor},
       {"collective_busy", d.collective},
       {"waits_for_posts", d.posts}};
}

static void to_json(Json& j, const DeviceLink& l) {
  j = {{"name", l.name},        {"messages", l.messages},
       {"bytes", l.bytes},      {"bytes_per_second", l.bandwidth},
       {"utilisation", l.busy}, {"mean_wait_seconds", l.wait}};
}

static void to_json(Json& j, const DraftUse& d) {
  j = {{"model", d.model},
       {"format", d.format},
       {"clusters", d.clusters},
       {"tokens_asked", d.tokens_asked},
       {"rounds", d.rounds},
       {"steps", d.steps},
       {"drafted", d.drafted},
       {"kept", d.kept},
       {"kept_share", d.kept_share()},
       {"tokens_per_round", d.tokens_per_round},
       {"seconds",
        {{"prompt", d.prompt_seconds},
         {"drafting", d.draft_seconds},
         {"verifying", d.verify_seconds},
         {"rounds", d.round_seconds}}}};
}

std::string to_json(const Report& r) {
  Json j;
  j["chip"] = r.chip;
  j["model"] = r.model;
  j["format"] = r.format;
  j["formats"] = {{"weights", r.weights}, {"activations", r.activations}, {"kv", r.kv}};
  j["timing"] = r.timing;
  j["data"] = r.data;
  j["clusters"] = r.clusters;
  j["phase"] = r.phase.empty() ? "all" : r.phase;
  j["sequences"] = r.sequences;
  j["context"] = {{"least", r.context_least}, {"most", r.context_most}};
  j["layers"] = {{"of_model", r.layers},
                 {"simulated", r.layers_simulated},
                 {"expected_error", r.repetition_error},
                 {"counted_seconds", r.counted_seconds}};
  j["tokens"] = {{"given", r.given}, {"generated", r.generated}};
  j["seconds"] = {{"boot", r.boot_seconds},
                  {"first_token", r.first_token_seconds},
                  {"phase", r.phase_seconds},
                  {"per_token", r.token_seconds},
                  {"per_token_least", r.token_seconds_least},
                  {"per_token_most", r.token_seconds_most},
                  {"simulated", r.simulated_seconds}};
  j["tokens_per_second"] = r.tokens_per_second;
  if (!r.draft.model.empty()) j["draft"] = r.draft;
  j["phases"] = r.phases;
  j["peak"] = {{"hbm_bytes_per_second", r.peak_bandwidth}, {"operations_per_second", r.peak_operation_rate}};
  j["engines"] = r.engines;
  j["command_processors"] = {{"waits_for_fetch", r.command_fetch}, {"waits_for_queue", r.command_queue}};
  j["operators"] = r.operators;
  if (!r.bounds.empty()) j["explain"] = r.bounds;
  j["hbm_channels"] = r.channels;
  j["noc"] = {{"packets", r.noc_packets},
              {"flits", r.noc_flits},
              {"mean_latency_seconds", r.noc_latency},
              {"links", r.links}};
  if (r.device_count > 1)
    j["devices"] = {{"count", r.device_count},
                    {"symmetric", r.symmetric},
                    {"simulated", r.devices},
                    {"links", r.device_links}};
  j["cpu"] = {
      {"instructions", r.instructions}, {"cycles", r.cpu_cycles}, {"sleep_cycles", r.cpu_sleep_cycles}};
  j["simulated_cluster_cycles"] = r.simulated_cycles;
  Json rtl_host = Json::object();
  if (!r.rtl.empty()) {
    j["rtl"] = Json::array();
    for (const auto& b : r.rtl) {
      Json fall_backs = Json::object();
      for (const auto& [reason, count] : b.fall_backs) fall_backs[reason] = count;
      j["rtl"].push_back({{"name", b.name},
                          {"model", b.model},
                          {"instances", b.instances},
                          {"commands", b.commands},
                          {"cycles", b.cycles},
                          {"left_to_the_model", fall_backs},
                          {"broken_axi_rules", b.broken_rules},
                          {"compared", b.compared}});
      rtl_host[b.name] = {
          {"cpu_seconds", b.host_seconds},
          {"cpu_seconds_with_bridges", std::max(b.host_seconds, b.hook_seconds)},
          {"waited_seconds", b.waited_seconds},
          {"cycles_per_cpu_second", b.host_seconds > 0 ? static_cast<double>(b.cycles) / b.host_seconds : 0}};
    }
  }
  j["host"] = {{"seconds", r.host_seconds},
               {"cpu_seconds", r.host_cpu_seconds},
               {"setup_seconds", r.host_setup_seconds},
               {"cluster_cycles_per_second",
                r.host_seconds > 0 ? static_cast<double>(r.simulated_cycles) / r.host_seconds : 0}};
  if (!r.rtl.empty()) {
    j["host"]["rtl"] = rtl_host;
    j["host"]["rtl_seconds"] = r.rtl_seconds();
    j["host"]["times_as_long_as_the_rest"] = r.times_with_rtl();
  }
  return j.dump(2) + "\n";
}

}  // namespace forerun::report
