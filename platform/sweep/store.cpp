// SPDX-License-Identifier: Apache-2.0
#include "platform/sweep/store.hpp"

#include <fmt/format.h>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace forerun::sweep {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string stem(const Point& point) {
  std::string text;
  for (const auto& argument : point.arguments) text += argument + '\0';
  return boost::uuids::to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(text));
}

}  // namespace

void write_file(const std::filesystem::path& path, const std::string& text) {
  auto partial = path;
  partial += ".partial";
  std::ofstream stream(partial, std::ios::binary);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(partial, path, error);
  if (!stream || error) throw std::runtime_error(path.string() + ": cannot be written");
}

Store::Store(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_ / "points", error);
  if (error) throw std::runtime_error(fmt::format("{}: {}", folder_.string(), error.message()));
}

std::filesystem::path Store::file_of(const Point& point) const {
  return folder_ / "points" / (stem(point) + ".json");
}
std::filesystem::path Store::report_of(const Point& point) const {
  return folder_ / "points" / (stem(point) + ".report");
}
std::filesystem::path Store::messages_of(const Point& point) const {
  return folder_ / "points" / (stem(point) + ".messages");
}

std::optional<Report> Store::find(const Point& point) const {
  const auto json = Report::parse(read_all(file_of(point)), nullptr, false);
  if (!json.is_object() || !json.contains("report") || !json.contains("arguments") ||
      json["arguments"] != Report(point.arguments))
    return std::nullopt;
  return json["report"];
}

Report Store::keep(const Point& point) const {
  auto report = Report::parse(read_all(report_of(point)), nullptr, false);
  if (!report.is_object()) throw std::runtime_error("the run has written no report");
  report.erase("host");
  write_file(file_of(point), Report{{"arguments", point.arguments}, {"report", report}}.dump(1) + "\n");
  std::error_code error;
  std::filesystem::remove(report_of(point), error);
  std::filesystem::remove(messages_of(point), error);
  return report;
}

std::string Store::complaint(const Point& point) const {
  std::istringstream lines(read_all(messages_of(point)));
  std::string text, line;
  while (std::getline(lines, line))
    if (line.starts_with("forerun:") || text.empty()) text = line;
  return text.empty() ? "the run has failed without a message" : text;
}

}  // namespace forerun::sweep
