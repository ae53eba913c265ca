/* SPDX-License-Identifier: Apache-2.0 */
/* Serial port with the register map of the 16550 (TL16C550C data sheet), polled. */
#ifndef FR_DRIVERS_UART_H
#define FR_DRIVERS_UART_H

#include <stddef.h>
#include <stdint.h>

struct uart {
  uint64_t base;
  uint32_t register_shift; /* registers lie 1 << register_shift bytes apart */
};

/* 8 data bits, no parity, one stop bit, FIFOs on. With a clock or baud of 0 the divisor stays as it is. */
void uart_start(const struct uart* uart, uint32_t clock_hz, uint32_t baud);
/* Returns when the last character is in the FIFO. */
void uart_write(const struct uart* uart, const char* text, size_t bytes);
/* The next character received, or -1. */
int uart_read(const struct uart* uart);

#endif
