// SPDX-License-Identifier: Apache-2.0
/// A byte stream to another process, by TCP or a Unix socket, that carries messages and notices when the peer
/// is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace forerun::ip::cosim {

/// The peer cannot be reached, is gone, or says what is not understood.
class ChannelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using MessageBytes = std::vector<std::uint8_t>;

/// Addresses: "tcp:HOST:PORT" (port 0 when listening: a free one) and "unix:PATH". All waits end after a
/// time-out, in seconds; 0: never.
class Channel {
 public:
  /// Tries until somebody listens there, for `timeout` seconds.
  static Channel connect(const std::string& address, double timeout);

  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  /// A message of up to 64 MiB. Throws ChannelError.
  void send(const MessageBytes& message);
  MessageBytes receive(double timeout);

 private:
  friend class Listener;
  struct Impl;
  explicit Channel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Listener {
 public:
  /// Throws ChannelError if the address cannot be used.
  explicit Listener(const std::string& address);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  /// Where peers connect to, with the port that was taken.
  const std::string& address() const { return address_; }
  Channel accept(double timeout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace forerun::ip::cosim
