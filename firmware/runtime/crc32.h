/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 of IEEE 802.3, as in zlib. */
#ifndef FR_RUNTIME_CRC32_H
#define FR_RUNTIME_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from the checksum of what came before; 0 at the beginning. */
uint32_t crc32_update(uint32_t crc, const void* data, size_t bytes);

#endif
