// SPDX-License-Identifier: Apache-2.0
#include "platform/sweep/crew.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/process.hpp>
#include <list>
#include <stdexcept>

namespace forerun::sweep {

namespace bp = boost::process;

void run_jobs(const std::filesystem::path& program, std::span<const Job> jobs, unsigned most,
              const std::function<void(std::size_t, int)>& done) {
  boost::asio::io_context context;
  std::list<bp::child> children;
  std::size_t next = 0, running = 0;
  std::function<void()> fill = [&] {
    for (; next < jobs.size() && running < most; ++next, ++running) {
      std::error_code error;
      children.emplace_back(
          program.string(), bp::args(jobs[next].arguments), bp::std_in<bp::null, bp::std_out> bp::null,
          bp::std_err > jobs[next].messages.string(), error, context,
          bp::on_exit = [&, index = next](int code, const std::error_code&) {
            --running;
            done(index, code);
            // not from here: the library goes through its list of children
            boost::asio::post(context, fill);
          });
      if (error) throw std::runtime_error(program.string() + ": " + error.message());
    }
  };
  fill();
  context.run();
}

}  // namespace forerun::sweep
