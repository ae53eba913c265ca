// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/remote/channel.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <utility>
// Asio of Boost 1.74 wants <utility> before it.
#include <boost/asio.hpp>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

namespace forerun::ip::cosim {
namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;
using ErrorCode = boost::system::error_code;
namespace {

constexpr std::uint32_t most_bytes = 64 << 20;

struct Address {
  bool local;
  std::string host, port;  // local: the path is in `host`
};

Address parse(const std::string& text) {
  if (text.starts_with("unix:") && text.size() > 5) return {true, text.substr(5), {}};
  const auto colon = text.rfind(':');
  if (text.starts_with("tcp:") && colon > 4 && colon != std::string::npos && colon + 1 < text.size())
    return {false, text.substr(4, colon - 4), text.substr(colon + 1)};
  throw ChannelError("'" + text + "': expected tcp:HOST:PORT or unix:PATH");
}

/// Waits until a socket has something to read; false after the time-out.
bool readable(int socket, double timeout) {
  pollfd entry{socket, POLLIN, 0};
  const int milliseconds = timeout <= 0 ? -1 : static_cast<int>(timeout * 1000);
  int result = 0;
  do result = ::poll(&entry, 1, milliseconds);
  while (result < 0 && errno == EINTR);
  return result != 0;
}

std::string seconds(double timeout) {
  auto text = std::to_string(timeout);
  return text.substr(0, text.find('.') + 2) + " s";
}

}  // namespace

struct Channel::Impl {
  asio::io_context context;
  Protocol::socket socket{context};
  bool tcp = false;
  void prepare() {
    if (!tcp) return;
    ErrorCode ignored;  // what matters for speed and for peers that vanish, where it can be had
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
  }
};

Channel::Channel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) { impl_->prepare(); }
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

Channel Channel::connect(const std::string& text, double timeout) {
  const auto address = parse(text);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout);
  while (true) {
    auto impl = std::make_unique<Impl>();
    impl->tcp = !address.local;
    ErrorCode error;
    if (address.local) {
      impl->socket.connect(asio::local::stream_protocol::endpoint(address.host), error);
    } else {
      asio::ip::tcp::resolver resolver(impl->context);
      const auto found = resolver.resolve(address.host, address.port, error);
      if (!error)
        for (const auto& entry : found) {
          impl->socket.close();
          impl->socket.connect(entry.endpoint(), error);
          if (!error) break;
        }
    }
    if (!error) return Channel(std::move(impl));
    if (timeout > 0 && std::chrono::steady_clock::now() >= until)
      throw ChannelError(text + ": nobody answers there (" + error.message() + ")");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Channel::send(const MessageBytes& message) {
  if (message.size() > most_bytes) throw ChannelError("a message is longer than 64 MiB");
  const auto length = static_cast<std::uint32_t>(message.size());
  const std::array<asio::const_buffer, 2> parts{asio::buffer(&length, sizeof length), asio::buffer(message)};
  ErrorCode error;
  asio::write(impl_->socket, parts, error);
  if (error) throw ChannelError("the peer is gone (" + error.message() + ")");
}

MessageBytes Channel::receive(double timeout) {
  const auto read = [&](void* to, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      if (!readable(impl_->socket.native_handle(), timeout))
        throw ChannelError("the peer has not answered for " + seconds(timeout));
      ErrorCode error;
      done += impl_->socket.read_some(asio::buffer(static_cast<char*>(to) + done, size - done), error);
      if (error) throw ChannelError("the peer is gone (" + error.message() + ")");
    }
  };
  std::uint32_t length = 0;
  read(&length, sizeof length);
  if (length > most_bytes) throw ChannelError("the peer does not speak this protocol");
  MessageBytes message(length);
  if (length > 0) read(message.data(), length);
  return message;
}

struct Listener::Impl {
  asio::io_context context;
  asio::basic_socket_acceptor<Protocol> acceptor{context};
  std::string path;  // of a Unix socket, to be removed
  bool tcp = false;
};

Listener::Listener(const std::string& text) : impl_(std::make_unique<Impl>()), address_(text) {
  const auto address = parse(text);
  impl_->tcp = !address.local;
  ErrorCode error;
  Protocol::endpoint endpoint;
  if (address.local) {
    endpoint = asio::local::stream_protocol::endpoint(address.host);
  } else {
    asio::ip::tcp::resolver resolver(impl_->context);
    const auto found = resolver.resolve(address.host, address.port, asio::ip::resolver_base::passive, error);
    if (error || found.empty())
      throw ChannelError(text + ": there is no such host or port (" + error.message() + ")");
    endpoint = found.begin()->endpoint();
  }
  auto& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error && impl_->tcp) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1, error);
  if (error) throw ChannelError(text + ": cannot listen there (" + error.message() + ")");
  if (address.local) {
    impl_->path = address.host;
  } else {
    asio::ip::tcp::endpoint taken;
    const auto local = acceptor.local_endpoint();
    taken.resize(local.size());
    std::memcpy(taken.data(), local.data(), local.size());
    address_ = "tcp:" + address.host + ":" + std::to_string(taken.port());
  }
}

Listener::~Listener() {
  if (!impl_->path.empty()) ::unlink(impl_->path.c_str());
}

Channel Listener::accept(double timeout) {
  if (!readable(impl_->acceptor.native_handle(), timeout))
    throw ChannelError(address_ + ": nobody has connected for " + seconds(timeout));
  auto impl = std::make_unique<Channel::Impl>();
  impl->tcp = impl_->tcp;
  ErrorCode error;
  // The socket must be of the channel's own context: hand over the descriptor.
  auto accepted = impl_->acceptor.accept(impl_->context, error);
  if (error) throw ChannelError(address_ + ": " + error.message());
  const auto protocol = impl_->acceptor.local_endpoint().protocol();
  impl->socket.assign(protocol, accepted.release());
  return Channel(std::move(impl));
}

}  // namespace forerun::ip::cosim
