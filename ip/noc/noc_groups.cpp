// SPDX-License-Identifier: Apache-2.0
// Multicast and reduction windows of the network.
#include <algorithm>
#include <cstring>

#include "ip/noc/noc.hpp"

namespace forerun::ip {

void Noc::map_multicast(std::uint64_t base, std::uint64_t size, const std::vector<Member>& members) {
  auto group = std::make_unique<noc::Group>();
  group->base = base, group->size = size;
  for (const auto& m : members) group->members.push_back({index_of(*m.target), m.offset});
  add_range({base, size, 0, 0, {}, static_cast<std::uint32_t>(groups_.size())});
  groups_.push_back(std::move(group));
}

void Noc::map_reduction(std::uint64_t base, std::uint64_t size, const Member& target,
                        const std::vector<const Initiator*>& members, noc::Element element) {
  auto group = std::make_unique<noc::Group>();
  group->reduces = true;
  group->base = base, group->size = size;
  group->element = element;
  group->targets = {index_of(*target.target)};
  group->offset = target.offset;
  add_reduction(std::move(group), members);
}

void Noc::map_reduction_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t offset,
                                    std::uint64_t granule, const std::vector<const Target*>& targets,
                                    const std::vector<const Initiator*>& members, noc::Element element) {
  auto group = std::make_unique<noc::Group>();
  group->reduces = true;
  group->base = base, group->size = size;
  group->element = element;
  for (const auto* target : targets) group->targets.push_back(index_of(*target));
  group->offset = offset, group->granule = granule;
  add_reduction(std::move(group), members);
}

void Noc::add_reduction(std::unique_ptr<noc::Group> group, const std::vector<const Initiator*>& members) {
  for (const auto* m : members) {
    const auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                                 [&](const Endpoint& e) { return e.initiator.get() == m; });
    group->members.push_back({static_cast<std::uint32_t>(at - endpoints_.begin()), 0});
  }
  add_range({group->base, group->size, 0, 0, {}, static_cast<std::uint32_t>(groups_.size())});
  groups_.push_back(std::move(group));
}

/// The tree between the source of a multicast, or the target of a reduction, and the members.
const noc::GroupTree& Noc::tree_of(const noc::Group& group, std::uint32_t root) {
  auto& tree = trees_[{&group, root}];
  if (!tree)
    tree = std::make_unique<noc::GroupTree>(
        noc::make_tree(graph_, *routes_, root, group.members, group.reduces));
  return *tree;
}

/// Bytes of a unit's buffer: its data, or a flit.
std::uint32_t Noc::room_for(const Transit& transit) const {
  return std::max(transit.data->get_data_length(), static_cast<std::uint32_t>(parameters_.link_width.count));
}

bool Noc::has_room(const Transit& transit) const {
  const auto room = room_for(transit);
  return std::all_of(transit.tree->nodes.begin(), transit.tree->nodes.end(), [&](const auto& node) {
    return claimed_[node.router] != claim_ && held_[node.router] + room <= parameters_.unit_buffer.count;
  });
}

void Noc::take_room(Transit& transit) {
  for (const auto& node : transit.tree->nodes) held_[node.router] += room_for(transit);
  unit_waits += static_cast<std::uint64_t>(std::max<std::int64_t>(now_picoseconds() - transit.born_ps, 0));
  inject(transit);
}

/// A request joins the network: a multicast when all units of its tree have room.
void Noc::enter(Transit& transit) {
  if (transit.network != 0 || !is_multicast(transit)) return inject(transit);
  if (waiting_.empty()) ++claim_;  // nobody has claimed anything
  if (has_room(transit)) return take_room(transit);
  ++endpoints_[transit.source].leaving;
  wait_for_room(transit, waiting_);
  wake_for_network();
}

void Noc::wait_for_room(Transit& transit, List& list) {
  for (const auto& node : transit.tree->nodes) claimed_[node.router] = claim_;
  list.push(transit);
}

/// A copy has left its unit; the last one frees the room of all.
void Noc::copied(Transit& part) {
  auto& whole = *part.parent;
  if (--whole.unsent > 0) return;
  held_[whole.tree->nodes[whole.node].router] -= room_for(whole);
  if (!waiting_.empty()) admit();
}

/// Those for which there is room, the oldest first; none goes before an older one that needs the same unit.
void Noc::admit() {
  ++claim_;
  List still;
  while (!waiting_.empty()) {
    auto& transit = waiting_.pop();
    if (!has_room(transit)) {
      wait_for_room(transit, still);
      continue;
    }
    --endpoints_[transit.source].leaving;
    take_room(transit);
  }
  waiting_ = still;
}

/// Sends a copy of what has arrived at a node along one of its branches.
void Noc::send_branch(Transit& parent, std::uint32_t branch) {
  const auto& node = parent.tree->nodes[parent.node];
  const auto& way = node.branches[branch];
  auto unit = first_unit_ + node.router * units_of_router;  // the one that has least to send
  for (auto other = unit + 1; other < first_unit_ + (node.router + 1) * units_of_router; ++other)
    if (endpoints_[other].leaving < endpoints_[unit].leaving) unit = other;
  const auto length = parent.data->get_data_length();
  tlm::tlm_generic_payload* payload = nullptr;
  std::uint32_t destination;
  if (way.node != none) {
    destination = first_unit_ + parent.tree->nodes[way.node].router * units_of_router;
  } else {
    const auto& member = parent.group->members[way.member];
    destination = member.endpoint;
    payload = &pool_.acquire(tlm::TLM_WRITE_COMMAND, member.offset + parent.address - parent.group->base,
                             length, is_timing_only(*parent.data));
    if (!is_timing_only(*parent.data))
      std::memcpy(payload->get_data_ptr(), parent.data->get_data_ptr(), length);
  }
  auto& part = make_transit(payload, unit, destination, length);
  part.priority = parent.priority;
  part.group = parent.group, part.tree = parent.tree;
  part.drawn_way = false;
  part.node = way.node, part.branch = branch;
  part.parent = &parent;
  part.data = parent.data;
  part.address = parent.address;
  ++copies;
  inject(part);
}

/// A packet has reached a unit, which takes it at once.
void Noc::arrive_at_unit(Transit& transit) {
  if (transit.network == 0) {
    if (transit.group->reduces) return contribute(transit);
    const auto branches = static_cast<std::uint32_t>(transit.tree->nodes[transit.node].branches.size());
    transit.pending = transit.unsent = branches;
    for (std::uint32_t i = 0; i < branches; ++i) send_branch(transit, i);
    return;
  }
  answer_parent(transit);
}

/// Others may never write what sums from before a reset wait for.
void Noc::abandon_sums() {
  ++resets_;
  loose_meetings_.clear();
  for (auto& [key, meeting] : meetings_)
    for (auto& list : meeting.waiting)
      while (!list.empty()) {
        auto& transit = list.pop();
        transit.status = tlm::TLM_GENERIC_ERROR_RESPONSE;
        make_response(transit, 0);
      }
  meetings_.clear();
}

void Noc::contribute(Transit& transit) {
  if (transit.resets != resets_) {
    transit.status = tlm::TLM_GENERIC_ERROR_RESPONSE;
    return make_response(transit, 0);
  }
  const auto key = std::make_tuple(transit.tree, transit.node, transit.address);
  auto& meeting = meetings_[key];
  meeting.waiting.resize(transit.tree->nodes[transit.node].branches.size());
  auto& list = meeting.waiting[transit.branch];
  if (list.empty()) ++meeting.present;
  list.push(transit);
  if (meeting.present < meeting.waiting.size()) return;
  std::vector<Transit*> parts;
  bool more = false;
  for (auto& waiting : meeting.waiting) {
    parts.push_back(&waiting.pop());
    if (waiting.empty()) --meeting.present;
    more = more || !waiting.empty();
  }
  if (!more) meetings_.erase(key);
  combine(parts);
}

/// All branches of a node have met: one packet goes on with the sum.
void Noc::combine(const std::vector<Transit*>& parts) {
  auto& first = *parts.front();
  const auto& group = *first.group;
  const auto& node = first.tree->nodes[first.node];
  const auto length = first.data->get_data_length();
  bool fits = true, timing_only = false;
  for (const auto* part : parts) {
    fits = fits && part->data->get_data_length() == length;
    timing_only = timing_only || is_timing_only(*part->data);
  }
  if (!fits) {  // contributions that belong together differ in length
    for (auto* part : parts) {
      part->status = tlm::TLM_BURST_ERROR_RESPONSE;
      make_response(*part, 0);
    }
    return;
  }
  auto& sum = pool_.acquire(tlm::TLM_WRITE_COMMAND, group.local(first.address), length, timing_only);
  if (!timing_only) {
    std::memcpy(sum.get_data_ptr(), first.data->get_data_ptr(), length);
    for (std::size_t i = 1; i < parts.size(); ++i)
      noc::add_elements(group.element, sum.get_data_ptr(), parts[i]->data->get_data_ptr(), length);
  }
  const auto unit = first_unit_ + node.router * units_of_router;
  const auto destination = node.parent == none
                               ? group.target(first.address)
                               : first_unit_ + first.tree->nodes[node.parent].router * units_of_router +
                                     node.branch_of_parent % units_of_router;
  auto& whole = make_transit(&sum, unit, destination, length);
  whole.priority = first.priority;
  whole.group = &group, whole.tree = first.tree;
  whole.drawn_way = false;
  whole.node = node.parent, whole.branch = node.branch_of_parent;
  whole.address = first.address;
  whole.data = &sum;
  whole.resets = first.resets;
  whole.parts = parts;
  ++sums;
  inject(whole);
}

/// The response to a part has come back to the unit that sent it.
void Noc::answer_parent(Transit& transit) {
  auto status = transit.status;
  if (transit.payload != nullptr && transit.payload->get_response_status() < 0)
    status = transit.payload->get_response_status();
  auto* const payload = transit.payload;
  auto* const parent = transit.parent;
  const auto parts = std::move(transit.parts);
  retire(transit);
  if (payload != nullptr) payload->release();
  if (parent != nullptr) {
    if (status < 0) parent->status = status;
    if (--parent->pending == 0) make_response(*parent, 0);
    return;
  }
  for (auto* part : parts) {
    part->status = status;
    make_response(*part, 0);
  }
}

void Noc::loose_multicast(const noc::Group& group, std::uint32_t from, tlm::tlm_generic_payload& payload,
                          sc_core::sc_time& delay) {
  const auto address = payload.get_address();
  auto status = tlm::TLM_OK_RESPONSE;
  auto longest = delay;
  for (const auto& member : group.members) {
    auto own =
        delay + to_sc_time({zero_load_ps(from, member.endpoint, flits_for(payload.get_data_length()))});
    payload.set_address(member.offset + address - group.base);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    (*endpoints_[member.endpoint].target)->b_transport(payload, own);
    if (!payload.is_response_ok()) status = payload.get_response_status();
    longest = std::max(longest, own + to_sc_time({zero_load_ps(member.endpoint, from, 1)}));
  }
  delay = longest;
  payload.set_address(address);
  payload.set_response_status(status);
  payload.set_dmi_allowed(false);
}

void Noc::loose_reduction(const noc::Group& group, std::uint32_t from, tlm::tlm_generic_payload& payload,
                          sc_core::sc_time& delay) {
  const auto address = payload.get_address();
  const auto length = payload.get_data_length();
  const bool timing_only = is_timing_only(payload);
  const auto members = static_cast<std::uint32_t>(group.members.size());
  auto& meeting = loose_meetings_[{&group, address}];
  meeting.waiting.resize(members);
  auto& own = meeting.waiting[group.find(from)];
  if (own.empty()) ++meeting.present;
  auto& written = own.emplace_back(length);
  if (!timing_only) std::memcpy(written.data(), payload.get_data_ptr(), length);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  payload.set_dmi_allowed(false);
  if (meeting.present < members) return;

  std::vector<std::vector<unsigned char>> of_member;
  bool fits = true, more = false;
  for (auto& waiting : meeting.waiting) {
    of_member.push_back(std::move(waiting.front()));
    waiting.pop_front();
    if (waiting.empty()) --meeting.present;
    more = more || !waiting.empty();
    fits = fits && of_member.back().size() == length;
  }
  if (!more) loose_meetings_.erase({&group, address});
  if (!fits) return payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  const auto target = group.target(address);
  auto& whole = pool_.acquire(tlm::TLM_WRITE_COMMAND, group.local(address), length, timing_only);
  if (!timing_only)
    std::memcpy(whole.get_data_ptr(), noc::sum_over(tree_of(group, target), group.element, of_member).data(),
                length);
  delay += to_sc_time({zero_load_ps(from, target, flits_for(length))});
  (*endpoints_[target].target)->b_transport(whole, delay);
  delay += to_sc_time({zero_load_ps(target, from, 1)});
  payload.set_response_status(whole.get_response_status());
  whole.release();
}

}  // namespace forerun::ip
