/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of a compute cluster: the stream that a cluster's command processor fetches from memory.
 *
 * A stream is a sequence of commands, each a whole number of 8-byte little-endian words:
 *
 *     header (16 bytes) | fields of the opcode | patches (8 bytes each)
 *
 * The command processor reads the stream in order. It executes `command` opcodes itself (loops, scalar
 * arithmetic, end) and hands the others to the queue of their engine. Each engine executes its queue in order;
 * engines run beside one another and meet only through the counted semaphores named in the headers: a command
 * starts when every semaphore it waits for holds at least the wanted count (which is then subtracted), and adds to
 * the semaphores it signals when its last byte is written. Of the command processor's own commands only READ waits,
 * and none signals.
 *
 * Any field may depend on run-time values: a patch adds `register * scale` to a field when the command is dispatched.
 * Registers 0 to FR_PARAMETERS-1 are loaded from the parameter table at start; the others belong to the stream.
 */
#ifndef FR_ABI_COMMAND_H
#define FR_ABI_COMMAND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FR_REGISTERS = 48,   /* scalar registers of a command processor, 64 bits signed each */
  FR_PARAMETERS = 16,  /* registers loaded from the parameter table at start */
  FR_SEMAPHORES = 64,  /* counted semaphores of a cluster, 16 bits each; overflow is an error */
  FR_LOOP_DEPTH = 8,   /* nesting of loops */
  FR_NO_SEMAPHORE = 255,
  FR_NO_TYPE = 255,    /* in place of an element type: there is no such operand */
  FR_MEMBERS = 64,     /* devices that take part in a collective command */
  FR_COMMAND_MAX_WORDS = 32
};

/* Engines: X(NAME, number, description) */
#define FR_ENGINES(X)                                                     \
  X(COMMAND, 0, "command processor: loops, scalar arithmetic, end")       \
  X(LOAD, 1, "DMA from the global address space into the scratchpad")     \
  X(STORE, 2, "DMA from the scratchpad into the global address space")    \
  X(TENSOR, 3, "systolic arrays")                                         \
  X(VECTOR, 4, "vector unit")                                             \
  X(COLLECTIVE, 5, "exchanges between devices: DMA both ways, with adders")

/* Element types: X(NAME, number, bits, description). Elements narrower than a byte are packed as a little-endian string
 * of bits, the first element lowest; every row begins at a byte. */
#define FR_TYPES(X)                                                                                        \
  X(F32, 0, 32, "IEEE 754 binary32")                                                                       \
  X(F16, 1, 16, "IEEE 754 binary16")                                                                       \
  X(BF16, 2, 16, "bfloat16: the upper half of binary32")                                                   \
  X(I8, 3, 8, "two's complement, 8 bits")                                                                  \
  X(I32, 4, 32, "two's complement, 32 bits")                                                               \
  X(U32, 5, 32, "unsigned, 32 bits (indices)")                                                             \
  X(F8E4M3, 6, 8, "OCP OFP8 E4M3: no infinities, NaN is S.1111.111, largest 448; element of MXFP8")        \
  X(F8E5M2, 7, 8, "OCP OFP8 E5M2: infinities and NaNs like IEEE 754, largest 57344; element of MXFP8")     \
  X(I4, 8, 4, "two's complement, 4 bits; two in a byte, the even element in the low half")                 \
  X(F6E3M2, 9, 6, "OCP MX FP6 E3M2: no infinities or NaN, largest 28; four in three bytes; MXFP6")         \
  X(F6E2M3, 10, 6, "OCP MX FP6 E2M3: no infinities or NaN, largest 7.5; four in three bytes; MXFP6")       \
  X(F4E2M1, 11, 4, "OCP MX FP4 E2M1: no infinities or NaN, largest 6; two in a byte; MXFP4")               \
  X(MXI8, 12, 8, "OCP MX INT8: two's complement with 6 fraction bits; element of MXINT8")                  \
  X(E8M0, 13, 8, "OCP MX scale: 2^(code - 127), 0xff is NaN")

/* Opcodes: X(NAME, number, engine, FIELDS, description) */
#define FR_OPCODES(X)                                                                                              \
  X(END, 0x01, COMMAND, FR_FIELDS_NONE, "drain every engine, then stop and report done")                           \
  X(SYNC, 0x02, COMMAND, FR_FIELDS_NONE, "dispatch nothing more until every engine is idle")                       \
  X(LOOP, 0x03, COMMAND, FR_FIELDS_LOOP, "repeat the commands up to the matching ENDLOOP; counter runs 0..count-1") \
  X(ENDLOOP, 0x04, COMMAND, FR_FIELDS_NONE, "end of the innermost loop")                                           \
  X(SCALAR, 0x05, COMMAND, FR_FIELDS_SCALAR, "rd = ra op (rb + imm)")                                              \
  X(READ, 0x06, COMMAND, FR_FIELDS_READ, "registers from memory, after the semaphores it waits for: what follows is dispatched when they are there") \
  X(LOAD, 0x10, LOAD, FR_FIELDS_COPY, "copy up to four dimensions, global to scratchpad")                          \
  X(GATHER, 0x11, LOAD, FR_FIELDS_GATHER, "copy the table rows that an index list names into the scratchpad")      \
  X(LOAD_NOP, 0x1f, LOAD, FR_FIELDS_NONE, "wait and signal only")                                                  \
  X(STORE, 0x20, STORE, FR_FIELDS_COPY, "copy up to four dimensions, scratchpad to global")                        \
  X(POST, 0x21, STORE, FR_FIELDS_POST, "after all earlier stores are acknowledged (by all clusters of a multicast window), add to a semaphore of clusters") \
  X(STORE_NOP, 0x2f, STORE, FR_FIELDS_NONE, "wait and signal only")                                                \
  X(MATMUL, 0x30, TENSOR, FR_FIELDS_MATMUL, "C[m][n] = (C +) sum over k of A[m][k] * B[k][n]")                     \
  X(MATMUL_SCALED, 0x31, TENSOR, FR_FIELDS_MATMUL_SCALED, "MATMUL whose operands have scales: sums of groups of k are scaled and added") \
  X(TENSOR_NOP, 0x3f, TENSOR, FR_FIELDS_NONE, "wait and signal only")                                              \
  X(VECTOR, 0x40, VECTOR, FR_FIELDS_VECTOR, "one vector operation over rows x cols elements")                      \
  X(VECTOR_NOP, 0x4f, VECTOR, FR_FIELDS_NONE, "wait and signal only")                                             \
  X(ALL_GATHER, 0x50, COLLECTIVE, FR_FIELDS_COLLECTIVE, "every member gets the pieces of all, side by side")       \
  X(REDUCE_SCATTER, 0x51, COLLECTIVE, FR_FIELDS_COLLECTIVE, "every member gets the sum of all members' pieces for it") \
  X(ALL_REDUCE, 0x52, COLLECTIVE, FR_FIELDS_COLLECTIVE, "every member gets the sum of all pieces")                 \
  X(COLLECTIVE_NOP, 0x5f, COLLECTIVE, FR_FIELDS_NONE, "wait and signal only")

/* Fields: F(type, name, description). Addresses named local are byte offsets into the cluster's scratchpad. */
#define FR_FIELDS_NONE(F)

#define FR_FIELDS_LOOP(F)                                                                    \
  F(int64_t, count, "iterations, 0 or less skips the body")                                  \
  F(uint32_t, counter, "register that holds the iteration number, FR_PARAMETERS to FR_REGISTERS-1")      \
  F(uint32_t, body, "bytes from the end of this command to the end of its ENDLOOP")

#define FR_FIELDS_SCALAR(F)                                                                  \
  F(uint8_t, op, "FR_SCALAR_*")                                                              \
  F(uint8_t, rd, "destination register, FR_PARAMETERS to FR_REGISTERS-1")                                \
  F(uint8_t, ra, "first operand register, or 255 for 0")                                     \
  F(uint8_t, rb, "second operand register, or 255 for 0")                                    \
  F(uint32_t, reserved, "0")                                                                 \
  F(int64_t, imm, "added to the second operand")

#define FR_FIELDS_READ(F)                                                                    \
  F(uint64_t, address, "global, 8-byte aligned; the words do not cross a multiple of 256 bytes")\
  F(uint32_t, rd, "register of the first, FR_PARAMETERS to FR_REGISTERS-1")                  \
  F(uint32_t, count, "words, 1 to 16, and no more than there are registers from rd on")

#define FR_FIELDS_COPY(F)                                                                    \
  F(uint64_t, global, "global byte address of element 0")                                    \
  F(uint32_t, local, "scratchpad byte address of element 0")                                 \
  F(uint32_t, bytes, "contiguous bytes of the innermost run; 0 copies nothing")              \
  F(uint32_t, size1, "runs; 0 copies nothing")                                               \
  F(uint32_t, size2, "repetitions of size1 runs; 0 copies nothing")                          \
  F(uint32_t, size3, "repetitions of size2; 0 copies nothing")                               \
  F(int32_t, local_stride1, "bytes between runs in the scratchpad")                          \
  F(int32_t, local_stride2, "bytes")                                                         \
  F(int32_t, local_stride3, "bytes")                                                         \
  F(int64_t, global_stride1, "bytes between runs in the global address space")               \
  F(int64_t, global_stride2, "bytes")                                                        \
  F(int64_t, global_stride3, "bytes")

#define FR_FIELDS_GATHER(F)                                                                  \
  F(uint64_t, table, "global byte address of row 0")                                         \
  F(uint64_t, indices, "global byte address of the u32 index list")                          \
  F(uint64_t, table_stride, "bytes between rows of the table")                               \
  F(uint32_t, limit, "rows of the table; an index at or above it is an error")               \
  F(uint32_t, count, "indices; 0 copies nothing")                                            \
  F(uint32_t, bytes, "bytes of a row to copy")                                               \
  F(uint32_t, local, "scratchpad byte address of the first row")                             \
  F(int32_t, local_stride, "bytes between rows in the scratchpad")                           \
  F(uint32_t, reserved, "0")

/*
 * ALL_GATHER, REDUCE_SCATTER, ALL_REDUCE: `members` devices take part, each with a command of its own that differs in
 * `own` only. In this order a command
 *
 *  1. sends: writes its piece of rows x bytes from `source` into the buffer of every member, itself included. The piece
 *     for member m of REDUCE_SCATTER is m * bytes further in each row; the others send all the same. Bursts to different
 *     members take turns, the next device first;
 *  2. posts, when all is written: 1 to the semaphore of `post_count` clusters of every member;
 *  3. waits until its own semaphore holds `wait`, and takes that;
 *  4. reads `slots` pieces of rows x slot_bytes from the buffer at `read` of its own device into `result`: ALL_GATHER puts
 *     that of member m at m * slot_bytes in each row; the others add them up as binary32, in the order of members from 0,
 *     each sum rounded, so that all members get the same bits.
 *
 * A member's buffer holds the piece of the member that lies i devices further in slot i: `slot_stride` bytes apart, with
 * members in rows of `columns` (a torus; else one row) and i counted around rows and columns. All devices so use the same
 * addresses at the same time. With slot_stride and slots 0, `global` is the piece's own place, the same in every member, and
 * what is read is one piece, as it lies. Step 3 is left out where `wait` is 0, step 4 where `slot_bytes` is 0.
 */
#define FR_FIELDS_COLLECTIVE(F)                                                              \
  F(uint64_t, global, "address of the buffer in every member")                               \
  F(uint64_t, read, "address of the buffer in this device, from which pieces are read")      \
  F(uint64_t, window, "global address at which the others see device 0")                     \
  F(uint64_t, window_stride, "from one device to the next")                                  \
  F(int64_t, row_stride, "bytes between rows in the buffer")                                 \
  F(int64_t, slot_stride, "bytes between pieces in the buffer, or 0")                        \
  F(uint64_t, post, "address of FR_CLUSTER_POST of a member's first cluster")                \
  F(uint64_t, post_stride, "bytes from one cluster's register to the next one's")            \
  F(uint32_t, post_count, "clusters of each member to post to")                              \
  F(uint32_t, semaphore, "semaphore number")                                                 \
  F(uint32_t, wait, "posts to wait for, 0..65535; 0 does not wait")                          \
  F(uint32_t, members, "1..FR_MEMBERS")                                                      \
  F(uint32_t, columns, "members in a row, divides `members`")                                \
  F(uint32_t, own, "number of this device, 0..members-1")                                    \
  F(uint32_t, rows, "0 sends and reads nothing")                                             \
  F(uint32_t, bytes, "of a row of a piece that is sent; 0 sends nothing")                    \
  F(uint32_t, source, "scratchpad byte address of what is sent")                             \
  F(int32_t, source_stride, "bytes between rows there")                                      \
  F(uint32_t, result, "scratchpad byte address of the result")                               \
  F(int32_t, result_stride, "bytes between rows there")                                      \
  F(uint32_t, slot_bytes, "of a row of a piece that is read; a multiple of 4 for sums; 0 reads nothing") \
  F(uint32_t, slots, "pieces to read: `members`, or 0 for one as it lies")

#define FR_FIELDS_POST(F)                                                                    \
  F(uint64_t, address, "global address of FR_CLUSTER_POST of the first cluster, or of the registers of a multicast window: all its clusters") \
  F(uint64_t, stride, "bytes from one cluster's register to the next one's")                 \
  F(uint32_t, count, "clusters, or windows, to post to")                                     \
  F(uint32_t, skip, "number (0..count-1) of a cluster left out, or 0xffffffff for none")     \
  F(uint32_t, semaphore, "semaphore number")                                                 \
  F(uint32_t, amount, "1..65535")

#define FR_FIELDS_MATMUL(F)                                                                  \
  F(uint32_t, a, "local address of A[0][0]")                                                 \
  F(uint32_t, b, "local address of B[0][0]")                                                 \
  F(uint32_t, c, "local address of C[0][0]")                                                 \
  F(int32_t, a_stride, "bytes between rows of A")                                            \
  F(int32_t, b_stride, "bytes between rows of B as stored")                                  \
  F(int32_t, c_stride, "bytes between rows of C")                                            \
  F(uint32_t, m, "rows of A and C; 0 does nothing")                                          \
  F(uint32_t, n, "columns of B and C; 0 does nothing")                                       \
  F(uint32_t, k, "columns of A, rows of B; 0 writes zeros, or nothing when accumulating")    \
  F(uint8_t, a_type, "any but I32, U32 and E8M0")                                            \
  F(uint8_t, b_type, "beside F32, F16 or BF16 as A; beside I8 or I4: I8 or I4; beside a narrower float or MXI8: such") \
  F(uint8_t, c_type, "F32, F16 or BF16; I32 when both A and B are integers (but not of MATMUL_SCALED)") \
  F(uint8_t, flags, "FR_MATMUL_*")

/*
 * MATMUL_SCALED: MATMUL's fields and how to scale. k is cut into groups of `group` (the last may be shorter), from the
 * command's first k on. Each output starts as 0 or C and takes the groups in ascending order:
 *
 *     sum = sum over the group's k of A[m][k] * (B[k][n] - zero[group][n])    as MATMUL does from 0
 *     out = out + (sum * scale)                                               each step rounded to binary32
 *
 * with scale = scale of A[m][group] * scale of B[group][n]: exact when both are E8M0, else rounded to binary32; a side
 * without scales has 1. Sums of integers are exact (wrapping int32) and rounded to binary32 before they are scaled.
 *
 * Scales and zero points are stored as their operand is, with a group in the place of its k's: those of A as rows m of
 * groups; those of B as rows of groups of n, or, if B is transposed, as rows n of groups. A stride of 0 repeats one row.
 * A command that continues another along k begins at a multiple of the group.
 */
#define FR_FIELDS_MATMUL_SCALED(F)                                                           \
  FR_FIELDS_MATMUL(F)                                                                        \
  F(uint32_t, a_scale, "local address of A's first scale")                                   \
  F(uint32_t, b_scale, "local address of B's first scale")                                   \
  F(uint32_t, b_zero, "local address of B's first zero point")                               \
  F(int32_t, a_scale_stride, "bytes between rows of A's scales; 0 repeats one row")          \
  F(int32_t, b_scale_stride, "bytes between rows of B's scales; 0 repeats one row")          \
  F(int32_t, b_zero_stride, "bytes between rows of B's zero points; 0 repeats one row")      \
  F(uint32_t, group, "consecutive k that share a scale, at least 1; 32 if a scale is E8M0")  \
  F(uint8_t, a_scale_type, "F32, F16, BF16, F8E4M3 or E8M0, or FR_NO_TYPE for none")         \
  F(uint8_t, b_scale_type, "the same for B; at least one of the two has scales")             \
  F(uint8_t, b_zero_type, "I8 or I4 when B is I8 or I4, or FR_NO_TYPE for none")             \
  F(uint8_t, scale_reserved, "0")

#define FR_FIELDS_VECTOR(F)                                                                  \
  F(uint8_t, op, "FR_VECTOR_*")                                                              \
  F(uint8_t, a_type, "element type of source a")                                             \
  F(uint8_t, b_type, "element type of source b")                                             \
  F(uint8_t, c_type, "element type of source c")                                             \
  F(uint8_t, d_type, "element type of the destination")                                      \
  F(uint8_t, flags, "FR_VECTOR_FLAG_*, only those that mean something for the operation")    \
  F(uint16_t, reserved, "0")                                                                 \
  F(uint32_t, rows, "0 does nothing")                                                        \
  F(uint32_t, cols, "0 does nothing")                                                        \
  F(uint32_t, a, "local address of source a")                                                \
  F(uint32_t, b, "local address of source b")                                                \
  F(uint32_t, c, "local address of source c")                                                \
  F(uint32_t, d, "local address of the destination")                                         \
  F(int32_t, a_stride, "bytes between rows of a; 0 repeats one row")                         \
  F(int32_t, b_stride, "bytes between rows of b; 0 repeats one row")                         \
  F(int32_t, c_stride, "bytes between rows of c; 0 repeats one row")                         \
  F(int32_t, d_stride, "bytes between rows of the destination")                              \
  F(uint32_t, arg0, "see the operation; floats are IEEE binary32 bit patterns")              \
  F(uint32_t, arg1, "see the operation")                                                     \
  F(uint32_t, arg2, "see the operation")                                                     \
  F(uint32_t, arg3, "see the operation")

/* Scalar operations: X(NAME, number, description); signed 64-bit, wrapping; division by zero is an error. */
#define FR_SCALAR_OPS(X)                      \
  X(ADD, 0, "a + b")                          \
  X(SUB, 1, "a - b")                          \
  X(MUL, 2, "a * b")                          \
  X(DIV, 3, "a / b rounded down")             \
  X(CEIL_DIV, 4, "a / b rounded up")          \
  X(MOD, 5, "a - b * (a / b rounded down)")   \
  X(MIN, 6, "smaller of a and b")             \
  X(MAX, 7, "larger of a and b")              \
  X(LESS, 8, "1 if a < b, else 0")            \
  X(EQUAL, 9, "1 if a == b, else 0")          \
  X(SHL, 10, "a << (b & 63)")                 \
  X(SHR, 11, "a >> (b & 63), arithmetic")     \
  X(AND, 12, "a & b")                         \
  X(OR, 13, "a | b")

/*
 * Vector operations: X(NAME, number, sources, shape, description).
 * Sources are read in their own type, computed in binary32 (round to nearest even) and written in the destination's
 * type: floats round to nearest even (overflow to infinity; narrower ones saturate unless flag OVERFLOW is set), integers
 * round to nearest even and saturate, E8M0 takes the power of two that is not above the value.
 * Sums of a row (SUM, MEAN, SUM_SQUARES, the normalisations, SOFTMAX): column c is added to partial sum c mod 64, all
 * 64 begin as +0 and take ascending columns; then partial sum i + w is added to partial sum i for all i < w, with w = 32,
 * 16, 8, 4, 2, 1. Each step is rounded to binary32. Shape: E element-wise over rows x cols,
 * R one result per row, N a whole row to a whole row, T special (see the description).
 */
#define FR_VECTOR_OPS(X)                                                                                                  \
  X(COPY, 0x00, 1, E, "d = a (converts the type)")                                                                        \
  X(ADD, 0x01, 2, E, "d = a + b")                                                                                         \
  X(SUB, 0x02, 2, E, "d = a - b")                                                                                         \
  X(MUL, 0x03, 2, E, "d = a * b")                                                                                         \
  X(DIV, 0x04, 2, E, "d = a / b")                                                                                         \
  X(MAX, 0x05, 2, E, "d = max(a, b)")                                                                                     \
  X(MIN, 0x06, 2, E, "d = min(a, b)")                                                                                     \
  X(FMA, 0x07, 3, E, "d = a * b + c, rounded once")                                                                       \
  X(AFFINE, 0x08, 1, E, "d = a * arg0 + arg1 (floats; two roundings)")                                                    \
  X(CLIP, 0x09, 1, E, "d = min(max(a, arg0), arg1)")                                                                      \
  X(FILL, 0x0a, 0, E, "d = arg0 (float)")                                                                                 \
  X(NEG, 0x10, 1, E, "d = -a")                                                                                            \
  X(ABS, 0x11, 1, E, "d = |a|")                                                                                           \
  X(EXP, 0x12, 1, E, "d = e^a")                                                                                           \
  X(LOG, 0x13, 1, E, "d = natural logarithm of a")                                                                        \
  X(SQRT, 0x14, 1, E, "d = square root of a")                                                                             \
  X(RSQRT, 0x15, 1, E, "d = 1 / square root of a")                                                                        \
  X(RECIPROCAL, 0x16, 1, E, "d = 1 / a")                                                                                  \
  X(TANH, 0x17, 1, E, "d = hyperbolic tangent of a")                                                                      \
  X(ERF, 0x18, 1, E, "d = error function of a")                                                                           \
  X(SIGMOID, 0x19, 1, E, "d = 1 / (1 + e^-a)")                                                                            \
  X(RELU, 0x1a, 1, E, "d = max(a, 0)")                                                                                    \
  X(SILU, 0x1b, 1, E, "d = a * sigmoid(a)")                                                                               \
  X(GELU, 0x1c, 1, E, "d = a/2 * (1 + erf(a / sqrt 2))")                                                                  \
  X(GELU_TANH, 0x1d, 1, E, "d = a/2 * (1 + tanh(sqrt(2/pi) * (a + 0.044715 a^3)))")                                       \
  X(SWIGLU, 0x1e, 2, E, "d = silu(a) * b")                                                                                \
  X(SUM, 0x20, 1, R, "d[row] = sum of the row")                                                                           \
  X(MEAN, 0x21, 1, R, "d[row] = mean of the row")                                                                         \
  X(ROW_MAX, 0x22, 1, R, "d[row] = largest of the row")                                                                   \
  X(ROW_MIN, 0x23, 1, R, "d[row] = smallest of the row")                                                                  \
  X(SUM_SQUARES, 0x24, 1, R, "d[row] = sum of squares of the row")                                                        \
  X(ARGMAX, 0x25, 1, R, "d[row] = arg0 + lowest column of the largest value (U32); NaN counts as largest")                \
  X(SOFTMAX, 0x30, 1, N, "over the first v columns of arg2 * a, v = min(cols, arg0 + row mod arg1); of these the last arg3 if it is not 0; the rest become 0; arg0 = arg1 = 0: all columns; arg2 = 0 means 1.0") \
  X(LOG_SOFTMAX, 0x31, 1, N, "natural logarithm of SOFTMAX over all columns")                                             \
  X(RMSNORM, 0x32, 2, N, "d = a / sqrt(mean(a^2) + arg0) * b; b is the weight row")                                       \
  X(LAYERNORM, 0x33, 3, N, "d = (a - mean) / sqrt(variance + arg0) * b + c; b weight row, c bias row")                    \
  X(ROPE, 0x34, 3, N, "rotate pairs within each arg0 columns by cosines b and sines c (arg0/2 per row); flag INTERLEAVED pairs 2i,2i+1, else i,i+arg0/2") \
  X(TOP_K, 0x35, 2, N, "d = a where b is among the arg0 largest of its row, the first of equals, else arg1 (float); NaN counts as largest") \
  X(INDICES, 0x36, 1, N, "d = the columns whose a is not 0, in ascending order, then arg0 to the end of the row (U32)")   \
  X(ONLINE_SOFTMAX, 0x37, 3, N, "a tile of SOFTMAX's columns, with its arguments, arg0 signed, so that a row may see none; b: per row two of F32, the largest arg2 * a so far and a factor, c: per row one of F32, the sum so far. m' = max(m, the tile's), d = e^(arg2 * a - m'), factor = e^(m - m'), sum = sum * factor + the tile's; flag FIRST: no tile before, m = -infinity and sum = 0. A row without columns, or with none above -infinity, becomes 0, keeps m and sum and has factor 1") \
  X(QUANTIZE, 0x38, 1, N, "per row, or per arg0 columns unless arg0 is 0: scale = max|a| / top to c (F32, or c_type F16 or BF16; c_stride), d = round(a / scale); top: I8 127, I4 7, F8E4M3 448, F8E5M2 57344; zeros have scale 0") \
  X(QUANTIZE_STATIC, 0x39, 1, E, "d = round(a / arg0) + arg1 (integer), saturated to d_type")                             \
  X(DEQUANTIZE, 0x3a, 3, E, "d = a * b[row] * c[col]: b one F32 per row (b_stride apart), c one F32 row")                 \
  X(QUANTIZE_MX, 0x3b, 1, N, "per 32 columns: scale = 2^(floor(log2(max|a|)) - emax) to c (E8M0, c_stride), d = a / scale in an MX element type, saturated; a block with infinity or NaN has scale NaN") \
  X(TRANSPOSE, 0x3c, 1, T, "d[col][row] = a[row][col]; d_stride is between rows of the result")                           \
  X(CONCAT_COUNT, 0x3d, 0, E, "d = arg0 + row * cols + col as integer (index ramp)")                                      \
  X(DEQUANTIZE_GROUPS, 0x3f, 2, N, "d = a * b[row][col / arg0]: b rows of one scale per arg0 columns; flag ZERO_POINTS: d = (a - c[row][col / arg0]) * b[row][col / arg0]") \
  X(GUMBEL, 0x3e, 1, E, "d = a + arg3 * g, g = -log(-log(u)), u from Philox4x32-10 with key (arg0, arg1) and counter (arg2, row * cols + col); arg3 float")

enum { FR_VECTOR_PARTIAL_SUMS = 64 };

/* Flags */
enum {
  FR_MATMUL_B_TRANSPOSED = 1, /* B is stored as [n][k] */
  FR_MATMUL_ACCUMULATE = 2,   /* start from C (which then is F32 or I32) instead of 0 */

  FR_VECTOR_FLAG_B_SCALAR = 1,    /* b holds one value per row (b_stride apart), not a row */
  FR_VECTOR_FLAG_C_SCALAR = 2,    /* the same for c */
  FR_VECTOR_FLAG_INTERLEAVED = 4, /* ROPE: pairs are neighbours */
  FR_VECTOR_FLAG_OVERFLOW = 8,    /* F8E4M3, F8E5M2 destination: too large values become NaN or infinity, not the largest */
  FR_VECTOR_FLAG_ZERO_POINTS = 16, /* DEQUANTIZE_GROUPS: c holds zero points */
  FR_VECTOR_FLAG_FIRST = 32        /* ONLINE_SOFTMAX: b and c are only written */
};

#define FR_X(NAME, NUMBER, ...) FR_ENGINE_##NAME = NUMBER,
enum fr_engine { FR_ENGINES(FR_X) FR_ENGINE_COUNT };
#undef FR_X
#define FR_X(NAME, NUMBER, BITS, DESCRIPTION) FR_TYPE_##NAME = NUMBER,
enum fr_type { FR_TYPES(FR_X) FR_TYPE_COUNT };
#undef FR_X
#define FR_X(NAME, NUMBER, ...) FR_OP_##NAME = NUMBER,
enum fr_opcode { FR_OPCODES(FR_X) };
#undef FR_X
#define FR_X(NAME, NUMBER, ...) FR_SCALAR_##NAME = NUMBER,
enum fr_scalar_op { FR_SCALAR_OPS(FR_X) };
#undef FR_X
#define FR_X(NAME, NUMBER, ...) FR_VECTOR_##NAME = NUMBER,
enum fr_vector_op { FR_VECTOR_OPS(FR_X) };
#undef FR_X

/* A semaphore and a count; semaphore FR_NO_SEMAPHORE means none. */
struct fr_semaphore_use {
  uint8_t semaphore;
  uint8_t count;
};

struct fr_command_header {
  uint8_t opcode;                     /* FR_OP_* */
  uint8_t words;                      /* whole command in 8-byte words, header and patches included */
  uint8_t patches;                    /* patches at the end */
  uint8_t reserved;                   /* 0 */
  uint32_t tag;                       /* operator this belongs to: index into the program's tag table, for reports */
  struct fr_semaphore_use wait[2];    /* taken before the command starts */
  struct fr_semaphore_use signal[2];  /* given when it has ended */
};

/* Adds registers[reg] * scale to the field at byte `offset` from the start of the command (width 1, 2, 4 or 8 bytes). */
struct fr_patch {
  uint8_t offset;
  uint8_t width;
  uint8_t reg;
  uint8_t reserved;
  int32_t scale;
};

#define FR_F(TYPE, NAME, DESCRIPTION) TYPE NAME;
struct fr_loop { struct fr_command_header header; FR_FIELDS_LOOP(FR_F) };
struct fr_scalar { struct fr_command_header header; FR_FIELDS_SCALAR(FR_F) };
struct fr_read { struct fr_command_header header; FR_FIELDS_READ(FR_F) };
struct fr_copy { struct fr_command_header header; FR_FIELDS_COPY(FR_F) };
struct fr_gather { struct fr_command_header header; FR_FIELDS_GATHER(FR_F) };
struct fr_post { struct fr_command_header header; FR_FIELDS_POST(FR_F) };
struct fr_matmul { struct fr_command_header header; FR_FIELDS_MATMUL(FR_F) };
struct fr_matmul_scaled { struct fr_command_header header; FR_FIELDS_MATMUL_SCALED(FR_F) };
struct fr_collective { struct fr_command_header header; FR_FIELDS_COLLECTIVE(FR_F) };
struct fr_vector { struct fr_command_header header; FR_FIELDS_VECTOR(FR_F) };
#undef FR_F

#ifdef __cplusplus
}
static_assert(sizeof(fr_command_header) == 16 && sizeof(fr_patch) == 8);
static_assert(sizeof(fr_loop) == 32 && sizeof(fr_scalar) == 32 && sizeof(fr_read) == 32 && sizeof(fr_copy) == 80 && sizeof(fr_gather) == 64);
static_assert(sizeof(fr_post) == 48 && sizeof(fr_matmul) == 56 && sizeof(fr_matmul_scaled) == 88 && sizeof(fr_vector) == 80);
static_assert(sizeof(fr_collective) == 136);
#endif
#endif
