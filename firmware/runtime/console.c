/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/console.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct uart console;
static bool started;

void console_start(struct uart uart, uint32_t clock_hz, uint32_t baud) {
  console = uart;
  uart_start(&console, clock_hz, baud);
  started = true;
}

void console_print(const char* format, ...) {
  char line[CONSOLE_LINE];
  va_list arguments;
  if (!started) return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (const char* at = line; *at != '\0';) {
    const size_t bytes = strcspn(at, "\n");
    uart_write(&console, at, bytes);
    at += bytes;
    if (*at == '\n') {
      uart_write(&console, "\r\n", 2);
      ++at;
    }
  }
}
