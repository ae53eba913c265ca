// SPDX-License-Identifier: Apache-2.0
// A block of RTL in any simulator with DPI-C, driven by another process or by a PortDriver. Packed vectors
// come as arrays of 32-bit words, the lowest first (IEEE 1800, annex H: svBitVecVal), single bits as unsigned
// char; nothing of a simulator is included.
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "ip/cosim/remote/port_driver.hpp"
#include "ip/cosim/remote/remote_block.hpp"

using namespace forerun::ip::cosim;

namespace {

struct Block {
  std::unique_ptr<PortDriver> driver;
  AxiPins subordinate, manager;
};

/// The simulation in another process.
class RemoteDriver : public PortDriver {
 public:
  RemoteDriver(const std::string& address, const RemoteBlockParameters& parameters)
      : remote_(address, parameters) {}
  State cycle(AxiPins& subordinate, AxiPins& manager, bool interrupt, bool idle) override {
    ended_ = !remote_.cycle(subordinate, manager, interrupt, idle);
    return ended_ ? State::ended : State::running;
  }
  /// Broken rules, as they come.
  std::string news() override {
    std::string text;
    std::size_t seen = 0;
    for (const auto* checker : {&remote_.subordinate_checker(), &remote_.manager_checker()})
      for (const auto& violation : checker->log().kept())
        if (++seen > told_) text += "forerun: " + violation.message() + "\n";
    told_ = seen;
    return ended_ ? text + "forerun: " + remote_.message() + "\n" : text;
  }

 private:
  RemoteBlock remote_;
  std::size_t told_ = 0;
  bool ended_ = false;
};

AxiShape shape(int data_bytes, int id_bits, int address_bits, int lite) {
  const AxiShape made{.data_bytes = static_cast<unsigned>(data_bytes),
                      .id_bits = static_cast<unsigned>(id_bits),
                      .address_bits = static_cast<unsigned>(address_bits),
                      .lite = lite != 0};
  made.check();
  return made;
}

// {prot, cache, lock, burst, size, len, id, address} from the top: 3, 4, 1, 2, 3, 8, 32 and 64 bits.
void pack(const AddressChannel& channel, std::uint32_t* words) {
  words[0] = static_cast<std::uint32_t>(channel.address);
  words[1] = static_cast<std::uint32_t>(channel.address >> 32);
  words[2] = channel.id;
  words[3] = channel.len | std::uint32_t{channel.size} << 8 |
             static_cast<std::uint32_t>(channel.burst) << 11 | std::uint32_t{channel.lock} << 13 |
             std::uint32_t{channel.cache} << 14 | std::uint32_t{channel.prot} << 18;
}
void unpack(const std::uint32_t* words, AddressChannel& channel) {
  channel.address = words[0] | std::uint64_t{words[1]} << 32;
  channel.id = words[2];
  channel.len = static_cast<std::uint8_t>(words[3]);
  channel.size = words[3] >> 8 & 7;
  channel.burst = static_cast<BurstKind>(words[3] >> 11 & 3);
  channel.lock = (words[3] >> 13 & 1) != 0;
  channel.cache = words[3] >> 14 & 15;
  channel.prot = words[3] >> 18 & 7;
}

}  // namespace

std::map<std::string, PortDriverMaker>& forerun::ip::cosim::port_driver_makers() {
  static std::map<std::string, PortDriverMaker> makers;
  return makers;
}

extern "C" {

/// m_data_bytes 0: no manager port. Null, with a message, for ports that cannot be.
void* forerun_remote_open(const char* address, int s_data_bytes, int s_id_bits, int s_address_bits,
                          int s_lite, int m_data_bytes, int m_id_bits, int m_address_bits, int m_lite) {
  try {
    RemoteBlockParameters parameters;
    parameters.subordinate = shape(s_data_bytes, s_id_bits, s_address_bits, s_lite);
    if (m_data_bytes != 0) parameters.manager = shape(m_data_bytes, m_id_bits, m_address_bits, m_lite);
    const std::string text = address;
    const auto colon = text.find(':');
    const auto maker = port_driver_makers().find(text.substr(0, colon));
    auto driver = maker == port_driver_makers().end()
                      ? std::unique_ptr<PortDriver>(std::make_unique<RemoteDriver>(text, parameters))
                      : maker->second(text.substr(colon + 1), parameters.subordinate, parameters.manager);
    return new Block{std::move(driver), AxiPins(parameters.subordinate),
                     AxiPins(parameters.manager.value_or(AxiShape{}))};
  } catch (const std::exception& error) {
    std::printf("forerun: error: %s\n", error.what());
    std::fflush(stdout);
    return nullptr;
  }
}

/// Tells the chip that the block ends.
void forerun_remote_close(void* handle) { delete static_cast<Block*>(handle); }

/// Once a cycle, at its rising edge. 0: go on; 1: the chip has ended or is lost; 2: the block is not as it
/// should be.
int forerun_remote_cycle(
    void* handle, unsigned char reset, unsigned char interrupt, unsigned char idle,  //
    unsigned char s_awready, unsigned char s_wready, unsigned char s_arready, unsigned char s_bvalid,
    const std::uint32_t* s_bid, const std::uint32_t* s_bresp, unsigned char s_rvalid,
    const std::uint32_t* s_rid, const std::uint32_t* s_rresp, unsigned char s_rlast,
    const std::uint32_t* s_rdata,  //
    unsigned char* s_awvalid, std::uint32_t* s_aw, unsigned char* s_wvalid, unsigned char* s_wlast,
    std::uint32_t* s_wstrb, std::uint32_t* s_wdata, unsigned char* s_bready, unsigned char* s_arvalid,
    std::uint32_t* s_ar, unsigned char* s_rready,  //
    unsigned char m_awvalid, const std::uint32_t* m_aw, unsigned char m_wvalid, unsigned char m_wlast,
    const std::uint32_t* m_wstrb, const std::uint32_t* m_wdata, unsigned char m_bready,
    unsigned char m_arvalid, const std::uint32_t* m_ar, unsigned char m_rready,  //
    unsigned char* m_awready, unsigned char* m_wready, unsigned char* m_arready, unsigned char* m_bvalid,
    std::uint32_t* m_bid, std::uint32_t* m_bresp, unsigned char* m_rvalid, std::uint32_t* m_rid,
    std::uint32_t* m_rresp, unsigned char* m_rlast, std::uint32_t* m_rdata) {
  auto& block = *static_cast<Block*>(handle);
  auto& s = block.subordinate;
  auto& m = block.manager;
  s.reset = m.reset = reset != 0;
  s.aw.ready = s_awready != 0, s.w.ready = s_wready != 0, s.ar.ready = s_arready != 0;
  s.b.valid = s_bvalid != 0, s.b.id = *s_bid, s.b.response = static_cast<Response>(*s_bresp & 3);
  s.r.valid = s_rvalid != 0, s.r.id = *s_rid, s.r.response = static_cast<Response>(*s_rresp & 3),
  s.r.last = s_rlast != 0;
  std::memcpy(s.r.data.data(), s_rdata, s.r.data.size());
  m.aw.valid = m_awvalid != 0, m.w.valid = m_wvalid != 0, m.ar.valid = m_arvalid != 0;
  m.w.last = m_wlast != 0, m.b.ready = m_bready != 0, m.r.ready = m_rready != 0;
  unpack(m_aw, m.aw);
  unpack(m_ar, m.ar);
  std::memcpy(m.w.strobes.words.data(), m_wstrb, sizeof m.w.strobes.words);
  std::memcpy(m.w.data.data(), m_wdata, m.w.data.size());

  const auto state = block.driver->cycle(s, m, interrupt != 0, idle != 0);
  if (const auto news = block.driver->news(); !news.empty()) {
    std::fputs(news.c_str(), stdout);
    std::fflush(stdout);
  }

  *s_awvalid = s.aw.valid, *s_wvalid = s.w.valid, *s_arvalid = s.ar.valid;
  *s_wlast = s.w.last, *s_bready = s.b.ready, *s_rready = s.r.ready;
  pack(s.aw, s_aw);
  pack(s.ar, s_ar);
  std::memcpy(s_wstrb, s.w.strobes.words.data(), sizeof s.w.strobes.words);
  std::memcpy(s_wdata, s.w.data.data(), s.w.data.size());
  *m_awready = m.aw.ready, *m_wready = m.w.ready, *m_arready = m.ar.ready;
  *m_bvalid = m.b.valid, *m_bid = m.b.id, *m_bresp = static_cast<std::uint32_t>(m.b.response);
  *m_rvalid = m.r.valid, *m_rid = m.r.id, *m_rresp = static_cast<std::uint32_t>(m.r.response),
  *m_rlast = m.r.last;
  std::memcpy(m_rdata, m.r.data.data(), m.r.data.size());
  return static_cast<int>(state);
}
}
