/* SPDX-License-Identifier: Apache-2.0 */
/* The log on the serial port. */
#ifndef FR_RUNTIME_CONSOLE_H
#define FR_RUNTIME_CONSOLE_H

#include "firmware/drivers/uart.h"

enum { CONSOLE_LINE = 256 };

/* Where to print; before that, printing does nothing. */
void console_start(struct uart uart, uint32_t clock_hz, uint32_t baud);
/* As printf, without floating point, up to CONSOLE_LINE - 1 characters. A newline is sent as carriage return
 * and newline. */
void console_print(const char* format, ...) __attribute__((format(printf, 1, 2)));

#endif
