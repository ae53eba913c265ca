/* SPDX-License-Identifier: Apache-2.0 */
/* Runs compiled transformers for the host: messages in, tokens out (firmware/abi/message.h). */
#include <inttypes.h>
#include <stddef.h>

#include "firmware/apps/apps.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/interrupts.h"
#include "firmware/runtime/messages.h"
#include "firmware/runtime/run.h"
#include "firmware/runtime/runtime.h"
#include "firmware/runtime/watchdog.h"

static const char* missing(const struct hardware* hardware) {
  if (hardware->sysctl.base == 0) return "system controller";
  if (hardware->clint.base == 0) return "core-local interruptor";
  if (hardware->plic.base == 0) return "interrupt controller";
  if (hardware->mailbox.base == 0) return "mailbox";
  if (hardware->timer.base == 0) return "timer";
  if (hardware->cluster_count == 0) return "cluster";
  if (hardware->memory_count == 0) return "HBM";
  return NULL;
}

static _Noreturn void give_up(const char* reason, const char* what) {
  console_print("cannot start: %s%s\n", reason, what);
  runtime_exit(RUNTIME_EXIT_NO_HARDWARE);
}

static void send_failure(const struct failure* failure) {
  console_print("failed: %s\n", failure_name(failure->code));
  messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_FAILED, failure->code, failure->cluster,
                                                   failure->error, failure->address, failure->command,
                                                   failure->engine, failure->program});
}

static void serve_run(const uint64_t words[FR_MESSAGE_WORDS], const struct run_draft* draft) {
  const struct run_request request = run_request_from(words, draft);
  struct failure failure;
  uint64_t steps;
  if (run_program(&request, &steps, &failure))
    messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_DONE, steps});
  else
    send_failure(&failure);
}

int firmware_main(uint64_t device_tree) {
  const struct hardware* const hardware = runtime_start(device_tree);
  uint64_t words[FR_MESSAGE_WORDS];
  struct run_draft draft = {0}; /* of the next run */
  console_print("Forerun firmware, version %d\n", RUNTIME_VERSION);
  hardware_print(hardware);
  const char* const absent = missing(hardware);
  if (absent != NULL) give_up("the device tree has no ", absent);
  interrupts_start((struct plic){hardware->plic.base, hardware->plic_context});
  if (!messages_start(hardware->mailbox.base, hardware->mailbox.interrupt) ||
      !watchdog_start(hardware->timer.base, hardware->timer.interrupt) || !run_start(hardware))
    give_up("bad interrupt number in the device tree", "");
  messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_READY, hardware->cluster_count,
                                                   hardware->hbm_bytes, RUNTIME_VERSION});
  for (;;) {
    messages_receive(words);
    switch (words[0]) {
      case FR_MESSAGE_RUN:
        serve_run(words, &draft);
        draft = (struct run_draft){0};
        break;
      case FR_MESSAGE_DRAFT:
        draft = (struct run_draft){words[1], words[2]};
        break;
      case FR_MESSAGE_STOP:
        console_print("stop\n");
        runtime_exit((int)(words[1] & 0xff));
      default:
        console_print("unknown message %" PRIu64 "\n", words[0]);
        send_failure(&(const struct failure){.code = FR_FAILURE_MESSAGE});
    }
  }
}
