/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/interrupts.h"

#include <stddef.h>

#include "firmware/hal/hal.h"

static struct plic controller;
static struct {
  interrupt_handler* handler;
  uint32_t argument;
} sources[PLIC_SOURCES];

static void serve(void) {
  uint32_t source;
  while ((source = plic_claim(&controller)) != 0) {
    if (source < PLIC_SOURCES && sources[source].handler != NULL)
      sources[source].handler(sources[source].argument);
    else
      plic_disable(&controller, source); /* left on by somebody before us */
    plic_complete(&controller, source);
  }
}

void interrupts_start(struct plic plic) {
  controller = plic;
  plic_start(&controller);
  hal_interrupt_handler(HAL_INTERRUPT_EXTERNAL, serve);
}

bool interrupts_connect(uint32_t source, interrupt_handler* handler, uint32_t argument) {
  if (source == 0 || source >= PLIC_SOURCES) return false;
  sources[source].handler = handler;
  sources[source].argument = argument;
  plic_enable(&controller, source, 1);
  return true;
}
