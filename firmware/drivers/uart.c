/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/uart.h"

#include "firmware/hal/hal.h"

enum {
  DATA = 0,
  DIVISOR_LOW = 0,
  INTERRUPT_ENABLE = 1,
  DIVISOR_HIGH = 1,
  FIFO_CONTROL = 2,
  LINE_CONTROL = 3,
  LINE_STATUS = 5
};
enum { FIFO_ENABLE_AND_CLEAR = 7, FIFO_DEPTH = 16 };
enum { LINE_8N1 = 0x03, LINE_DIVISOR = 0x80, STATUS_RECEIVED = 0x01, STATUS_TRANSMIT_EMPTY = 0x20 };

static uint64_t at(const struct uart* uart, unsigned number) {
  return uart->base + ((uint64_t)number << uart->register_shift);
}

void uart_start(const struct uart* uart, uint32_t clock_hz, uint32_t baud) {
  const uint32_t divisor = baud == 0 ? 0 : (clock_hz / 16 + baud / 2) / baud;
  hal_write8(at(uart, INTERRUPT_ENABLE), 0);
  if (divisor > 0 && divisor <= 0xffff) {
    hal_write8(at(uart, LINE_CONTROL), LINE_DIVISOR | LINE_8N1);
    hal_write8(at(uart, DIVISOR_LOW), (uint8_t)divisor);
    hal_write8(at(uart, DIVISOR_HIGH), (uint8_t)(divisor >> 8));
  }
  hal_write8(at(uart, LINE_CONTROL), LINE_8N1);
  hal_write8(at(uart, FIFO_CONTROL), FIFO_ENABLE_AND_CLEAR);
}

void uart_write(const struct uart* uart, const char* text, size_t bytes) {
  while (bytes > 0) {
    while ((hal_read8(at(uart, LINE_STATUS)) & STATUS_TRANSMIT_EMPTY) == 0) {
    }
    for (unsigned room = FIFO_DEPTH; room > 0 && bytes > 0; --room, --bytes)
      hal_write8(at(uart, DATA), (uint8_t)*text++);
  }
}

int uart_read(const struct uart* uart) {
  return (hal_read8(at(uart, LINE_STATUS)) & STATUS_RECEIVED) != 0 ? hal_read8(at(uart, DATA)) : -1;
}
