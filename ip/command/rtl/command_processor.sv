// SPDX-License-Identifier: Apache-2.0
// The command processor of a cluster: fetches a stream of commands (firmware/abi/command.h), runs its loops and scalar arithmetic,
// applies patches, and gives each command to its engine (docs/rtl/command.md). A word of a command takes a cycle, a patch another;
// lines of 256 bytes of the stream are kept, LINES of them, and are fetched when they are needed.
module command_processor #(
    parameter int LINES = 256
) (
    input  logic        clk,
    input  logic        rst_n,
    output logic        idle,

    // A rising edge of `start` begins; `done` or `fault` ends, and stays until the next start.
    input  logic        start,
    input  logic [63:0] stream,
    input  logic [63:0] stream_bytes,
    input  logic [63:0] parameters,
    output logic        done,
    output logic        fault,
    output logic [7:0]  fault_error,  // FR_ERROR_*
    output logic [63:0] fault_offset,
    output logic [63:0] fault_value,

    // A packet is a command: the byte where it stands in the stream, then its words, patches applied. `d_dest` is the engine.
    output logic        d_valid,
    input  logic        d_ready,
    output logic [2:0]  d_dest,
    output logic        d_last,
    output logic [63:0] d_data,
    input  logic [31:0] ended,  // commands that engines have ended since the start

    output logic        m_arvalid,
    input  logic        m_arready,
    output logic [63:0] m_araddr,
    output logic [7:0]  m_arlen,
    output logic [2:0]  m_arsize,
    output logic [1:0]  m_arburst,
    input  logic        m_rvalid,
    output logic        m_rready,
    input  logic [63:0] m_rdata,
    input  logic [1:0]  m_rresp,
    input  logic        m_rlast
);
  localparam logic [7:0] BAD_OPCODE = 1, BAD_COMMAND = 2, STREAM_END = 3, BAD_LOOP = 4, FETCH = 5, SEMAPHORE = 9, DIVIDE = 10;
  localparam logic [7:0] END = 8'h01, SYNC = 8'h02, LOOP = 8'h03, ENDLOOP = 8'h04, SCALAR = 8'h05, READ = 8'h06;
  localparam logic [7:0] FIRST = 16, REGISTERS = 48;
  localparam int DEPTH = 8, INDEX = $clog2(LINES);

  typedef enum logic [3:0] {REST, BURST, COLLECT, PATCH, ADD, EXECUTE, DISPATCH, DRAIN, DIVIDING, DIVIDED} state_t;
  state_t state;
  logic was_started;
  logic [63:0] pc;
  logic [63:0] registers[48];
  logic [31:0] dispatched;
  assign idle = state == REST && start == was_started;

  // Reads: of parameters and of registers (into `registers` from `to` on), and of lines of the stream.
  logic to_registers;
  logic [7:0] to;
  logic broken;  // an answer was an error
  logic [63:0] read_address;
  logic [INDEX+4:0] line_word;  // the next one of the line
  assign {m_arsize, m_arburst, m_rready} = {3'd3, 2'd1, state == BURST};

  // Lines.
  logic [63:0] words[LINES*32];
  logic [55-INDEX:0] tags[LINES];
  logic [LINES-1:0] valid;
  logic [4:0] count;  // words of the command that are there
  wire [63:0] at = stream + pc + {56'd0, count, 3'd0};
  wire [INDEX-1:0] line = at[INDEX+7:8];
  wire hit = valid[line] && tags[line] == at[63:INDEX+8];
  wire [63:0] word = words[{line, at[7:3]}];
  wire [63:0] line_begin = {at[63:8], 8'd0}, stream_end = stream + stream_bytes;
  wire [63:0] begin_at = line_begin < stream ? stream : line_begin;
  wire [63:0] end_at = stream_end < line_begin + 256 ? stream_end : line_begin + 256;
  wire [63:0] beats = (end_at - begin_at) >> 3;

  // The command.
  logic [63:0] command[33];
  wire [7:0] opcode = command[0][7:0], length = command[0][15:8], patches = command[0][23:16];
  wire [7:0] wait0 = word[7:0], wait1 = word[23:16], signal0 = word[39:32], signal1 = word[55:48];
  wire [63:0] after = pc + {53'd0, length, 3'd0};
  function automatic logic bad_semaphore(input logic [7:0] number);
    return number != 8'd255 && number >= 8'd64;
  endfunction
  // Words of header and fields; 0: unknown.
  function automatic logic [7:0] words_of(input logic [7:0] code);
    case (code)
      END, SYNC, ENDLOOP, 8'h1f, 8'h2f, 8'h3f, 8'h4f, 8'h5f: return 2;
      LOOP, SCALAR, READ: return 4;
      8'h10, 8'h20, 8'h40: return 10;
      8'h11: return 8;
      8'h21: return 6;
      8'h30: return 7;
      8'h31: return 11;
      8'h50, 8'h51, 8'h52: return 17;
      default: return 0;
    endcase
  endfunction
  wire [7:0] known = words_of(word[7:0]);

  // Patches.
  logic [7:0] patch_number;
  wire [63:0] patch = command[6'(length - patches + patch_number)];
  wire [7:0] offset = patch[7:0], width = patch[15:8], source = patch[23:16];
  wire [8:0] fields_end = {1'b0, length - patches} << 3;
  wire good_patch = (width == 1 || width == 2 || width == 4 || width == 8) && offset >= 16
      && {1'b0, offset} + {1'b0, width} <= fields_end && source < REGISTERS;
  logic [63:0] addend;
  wire [127:0] window = {command[6'(offset[7:3]) + 6'd1], command[6'(offset[7:3])]};
  wire [127:0] mask = ((128'd1 << {width, 3'd0}) - 128'd1) << {offset[2:0], 3'd0};
  wire [127:0] patched = (window & ~mask) | ((window + (128'(addend) << {offset[2:0], 3'd0})) & mask);

  // Scalars and loops.
  wire [7:0] op = command[2][7:0], rd = command[2][15:8], ra = command[2][23:16], rb = command[2][31:24];
  wire [63:0] a = ra == 255 ? '0 : registers[ra[5:0]];
  wire [63:0] b = (rb == 255 ? '0 : registers[rb[5:0]]) + command[3];
  wire by_divider = op == 3 || op == 4 || op == 5;
  wire [63:0] dividend = op == 4 ? -a : a;
  logic [63:0] quotient, divided;
  logic divider_done;
  riscv_divider divider (
      .clk, .rst_n, .start(state == EXECUTE && opcode == SCALAR && by_divider && b != 0), .a(dividend), .b, .is_signed(1'b1),
      .remainder(1'b0), .half(1'b0), .done(divider_done), .result(quotient)
  );
  wire [63:0] rest = dividend - b * divided;
  wire [63:0] floor = divided - 64'(rest != 0 && dividend[63] != b[63]);
  logic [63:0] result;
  logic op_known;
  always_comb begin
    op_known = 1;
    case (op)
      0: result = a + b;
      1: result = a - b;
      2: result = a * b;
      6: result = $signed(a) < $signed(b) ? a : b;
      7: result = $signed(a) > $signed(b) ? a : b;
      8: result = 64'($signed(a) < $signed(b));
      9: result = 64'(a == b);
      10: result = a << b[5:0];
      11: result = 64'($signed(a) >>> b[5:0]);
      12: result = a & b;
      13: result = a | b;
      default: {op_known, result} = {by_divider, 64'd0};
    endcase
  end
  logic [63:0] bodies[DEPTH], counts[DEPTH], iterations[DEPTH];
  logic [5:0] counters[DEPTH];
  logic [3:0] depth;
  wire [2:0] top = 3'(depth - 4'd1);
  wire [63:0] next_iteration = iterations[top] + 1;
  wire [31:0] counter = command[3][31:0];
  wire good_rd = rd >= FIRST && rd < REGISTERS;
  wire [31:0] read_to = command[3][31:0], read_count = command[3][63:32];
  wire good_read = read_to >= 32'(FIRST) && read_to < 32'(REGISTERS) && read_count != 0 && read_count <= 16
      && read_to + read_count <= 32'(REGISTERS);
  wire good_place = command[2][2:0] == 0 && {1'b0, command[2][7:0]} + {1'b0, read_count[4:0], 3'd0} <= 9'd256;

  // Dispatch: word 0 is the offset.
  logic [5:0] sent;
  assign d_valid = state == DISPATCH;
  assign d_dest = opcode[6:4];
  assign d_data = sent == 0 ? pc : command[sent-6'd1];
  assign d_last = 8'(sent) == length;

  task automatic fail(input logic [7:0] error, input logic [63:0] value);
    {fault, fault_error, fault_offset, fault_value} <= {1'b1, error, pc, value};
    state <= REST;
  endtask
  task automatic read(input logic [63:0] address, input logic [7:0] last, input logic into_registers, input logic [7:0] first);
    {m_arvalid, m_araddr, m_arlen, read_address} <= {1'b1, address, last, address};
    {to_registers, to, broken} <= {into_registers, first, 1'b0};
    state <= BURST;
  endtask

  always_ff @(posedge clk)
    if (!rst_n) begin
      state <= REST;
      {was_started, done, fault, m_arvalid, valid, count} <= '0;
    end else begin
      was_started <= start;
      if (m_arready) m_arvalid <= 0;
      case (state)
        REST:
        if (start && !was_started) begin
          {done, fault, valid, pc, depth, count, dispatched} <= '0;
          for (int i = 0; i < 48; ++i) registers[i] <= '0;
          read(parameters, FIRST - 1, 1, 0);
        end
        BURST:
        if (m_rvalid) begin
          if (m_rresp[1]) broken <= 1;
          if (to_registers) registers[to[5:0]] <= m_rdata;
          else words[line_word] <= m_rdata;
          to <= to + 1;
          line_word <= line_word + 1;
          if (m_rlast) begin
            state <= COLLECT;
            if (broken || m_rresp[1]) fail(FETCH, read_address);
            else if (!to_registers) begin
              valid[line] <= 1;
              tags[line] <= at[63:INDEX+8];
            end
          end
        end
        COLLECT:
        if (count == 0 && pc + 16 > stream_bytes) fail(STREAM_END, pc);
        else if (!hit) begin
          line_word <= {line, begin_at[7:3]};
          read(begin_at, 8'(beats - 1), 0, 0);
        end else begin
          command[6'(count)] <= word;
          count <= count + 1;
          if (count == 0) begin
            if (known == 0) fail(BAD_OPCODE, 64'(word[7:0]));
            else if (word[15:8] != known + word[23:16] || word[15:8] > 32 || word[31:24] != 0)
              fail(BAD_COMMAND, 64'(word[15:8]));
          end
          if (count == 1) begin
            if (bad_semaphore(wait0)) fail(SEMAPHORE, 64'(wait0));
            else if (bad_semaphore(wait1)) fail(SEMAPHORE, 64'(wait1));
            else if (bad_semaphore(signal0)) fail(SEMAPHORE, 64'(signal0));
            else if (bad_semaphore(signal1)) fail(SEMAPHORE, 64'(signal1));
            else if (after > stream_bytes) fail(STREAM_END, pc);
          end
          patch_number <= 0;
          if (count != 0 && 8'(count) + 1 == length && !(count == 1 && (bad_semaphore(wait0) || bad_semaphore(wait1)
              || bad_semaphore(signal0) || bad_semaphore(signal1) || after > stream_bytes)))
            state <= patches == 0 ? EXECUTE : PATCH;
        end
        PATCH:
        if (!good_patch) fail(BAD_COMMAND, 64'(offset));
        else begin
          addend <= registers[source[5:0]] * 64'($signed(patch[63:32]));
          state <= ADD;
        end
        ADD: begin
          {command[6'(offset[7:3])+6'd1], command[6'(offset[7:3])]} <= patched;
          patch_number <= patch_number + 1;
          state <= patch_number + 1 == patches ? EXECUTE : PATCH;
        end
        EXECUTE: begin
          count <= 0;
          sent <= 0;
          state <= COLLECT;
          pc <= after;
          if (opcode[7:4] != 0) begin
            pc <= pc;
            state <= DISPATCH;
          end else
            case (opcode)
              END, SYNC: begin
                pc <= pc;
                state <= DRAIN;
              end
              LOOP:
              if (counter < 32'(FIRST) || counter >= 32'(REGISTERS)) fail(BAD_COMMAND, 64'(counter));
              else if ($signed(command[2]) <= 0) pc <= after + 64'(command[3][63:32]);
              else if (depth == 4'(DEPTH)) fail(BAD_LOOP, 64'(depth));
              else begin
                {bodies[depth[2:0]], counts[depth[2:0]], iterations[depth[2:0]]} <= {after, command[2], 64'd0};
                counters[depth[2:0]] <= counter[5:0];
                registers[counter[5:0]] <= '0;
                depth <= depth + 1;
              end
              ENDLOOP:
              if (depth == 0) fail(BAD_LOOP, pc);
              else if ($signed(next_iteration) < $signed(counts[top])) begin
                iterations[top] <= next_iteration;
                registers[counters[top]] <= next_iteration;
                pc <= bodies[top];
              end else depth <= depth - 1;
              READ:
              if (!good_read) fail(BAD_COMMAND, 64'(read_to));
              else if (!good_place) fail(BAD_COMMAND, command[2]);
              else read(command[2], 8'(read_count - 1), 1, read_to[7:0]);
              default:
              if (!good_rd || (ra >= REGISTERS && ra != 255) || (rb >= REGISTERS && rb != 255)) fail(BAD_COMMAND, 64'(rd));
              else if (by_divider && b == 0) fail(DIVIDE, pc);
              else if (!op_known) fail(BAD_COMMAND, 64'(op));
              else if (by_divider) begin
                pc <= pc;
                state <= DIVIDING;
              end else registers[rd[5:0]] <= result;
            endcase
        end
        DISPATCH:
        if (d_ready) begin
          sent <= sent + 1;
          if (d_last) begin
            dispatched <= dispatched + 1;
            pc <= after;
            state <= COLLECT;
          end
        end
        DRAIN:
        if (ended == dispatched) begin
          pc <= after;
          {done, state} <= opcode == END ? {1'b1, REST} : {1'b0, COLLECT};
        end
        DIVIDING:
        if (divider_done) {divided, state} <= {quotient, DIVIDED};
        DIVIDED: begin
          registers[rd[5:0]] <= op == 3 ? floor : op == 4 ? -floor : a - b * floor;
          pc <= after;
          state <= COLLECT;
        end
        default: state <= REST;
      endcase
    end
endmodule
