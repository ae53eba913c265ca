// SPDX-License-Identifier: Apache-2.0
#include "platform/traffic/runner.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "platform/traffic/system.hpp"

namespace forerun::traffic {
namespace {

using Json = nlohmann::ordered_json;

std::string pack(const Result& result) {
  Json json{{"values", Json::array()},
            {"series", result.series},
            {"notes", result.notes},
            {"limited_by", result.limited_by}};
  for (const auto& [c, value] : result.values)
    json["values"].push_back({c.name, c.unit, c.decimals, c.in_table, c.meaning, value});
  return json.dump();
}

Result unpack(const std::string& text) {
  const auto json = Json::parse(text);
  Result result;
  for (const auto& v : json["values"]) result.add({v[0], v[1], v[2], v[3], v[4]}, v[5]);
  result.series = json["series"];
  result.limited_by = json["limited_by"];
  result.notes = json["notes"].get<std::vector<std::string>>();
  return result;
}

/// A child that simulates one experiment and writes its result, or an error message, into a pipe.
struct Child {
  pid_t process = -1;
  int from = -1;
  std::size_t index = 0;
  std::string text;
};

[[noreturn]] void be_child(const Experiment& experiment, int to) {
  std::string text;
  try {
    text = "R" + pack(simulate(experiment));
  } catch (const std::exception& error) {
    text = std::string("E") + error.what();
  }
  for (std::size_t at = 0; at < text.size();) {
    const auto written = ::write(to, text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) break;
    if (written > 0) at += static_cast<std::size_t>(written);
  }
  std::fflush(nullptr);
  ::_exit(0);  // without the destructors of a simulation that is not over
}

class Crew {
 public:
  explicit Crew(std::span<const Experiment> experiments)
      : experiments_(experiments), results_(experiments.size()) {}
  ~Crew() {
    for (const auto& child : children_) {
      ::kill(child.process, SIGKILL);
      ::close(child.from);
      ::waitpid(child.process, nullptr, 0);
    }
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  std::vector<Result> run(const std::function<void()>& done) {
    const std::size_t most = std::max(1u, std::thread::hardware_concurrency());
    std::size_t next = 0;
    while (next < experiments_.size() || !children_.empty()) {
      while (next < experiments_.size() && children_.size() < most) start(next++);
      wait(done);
    }
    return std::move(results_);
  }

 private:
  void start(std::size_t index) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error(fmt::format("pipe: {}", std::strerror(errno)));
    std::fflush(nullptr);
    const auto process = ::fork();
    if (process < 0) throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
    if (process == 0) {
      ::close(ends[0]);
      be_child(experiments_[index], ends[1]);
    }
    ::close(ends[1]);
    children_.push_back({process, ends[0], index, {}});
  }

  /// Until some child has something to say; takes leave of those that are done.
  void wait(const std::function<void()>& done) {
    std::vector<pollfd> ends;
    for (const auto& child : children_) ends.push_back({child.from, POLLIN, 0});
    if (::poll(ends.data(), ends.size(), -1) < 0) return;
    for (std::size_t i = children_.size(); i-- > 0;) {
      if (ends[i].revents == 0) continue;
      char piece[65536];
      const auto count = ::read(children_[i].from, piece, sizeof piece);
      if (count > 0) children_[i].text.append(piece, static_cast<std::size_t>(count));
      if (count != 0) continue;
      const auto child = std::move(children_[i]);
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
      int status = 0;
      ::close(child.from);
      ::waitpid(child.process, &status, 0);
      finish(child, status);
      if (done) done();
    }
  }

  void finish(const Child& child, int status) {
    if (!child.text.starts_with('R')) {
      if (child.text.starts_with('E')) throw std::runtime_error(child.text.substr(1));
      throw std::runtime_error(
          WIFSIGNALED(status)
              ? fmt::format("a run was ended by signal {} ({})", WTERMSIG(status),
                            ::strsignal(WTERMSIG(status)))
              : fmt::format("a run ended with code {} and without a result", WEXITSTATUS(status)));
    }
    results_[child.index] = unpack(child.text.substr(1));
  }

  std::span<const Experiment> experiments_;
  std::vector<Result> results_;
  std::vector<Child> children_;
};

}  // namespace

std::vector<Result> run_all(std::span<const Experiment> experiments, const std::function<void()>& done) {
  return Crew(experiments).run(done);
}

}  // namespace forerun::traffic
