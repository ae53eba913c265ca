// SPDX-License-Identifier: Apache-2.0
// A control CPU: one RISC-V hart, RV64IMC with Zicsr and Zifencei, machine mode only. It takes an instruction in two cycles and
// more: 65 for a division, and for loads and stores what the bus takes, one access at a time. Instructions are kept in a cache of CACHE
// words of 8 bytes until fence.i. Misaligned loads and stores, floating point and atomics trap.
// Source: The RISC-V Instruction Set Manual, volumes I (20191213) and II (20211203).
module riscv_core #(
    parameter int CACHE = 1024
) (
    input  logic        clk,
    input  logic        rst_n,
    input  logic [63:0] reset_vector,
    input  logic [63:0] hart,
    input  logic [63:0] mtime,
    input  logic        meip,
    input  logic        mtip,
    input  logic        msip,
    output logic        sleeping,  // in wfi; nothing happens until an interrupt comes
    output logic        retired,   // an instruction, in this cycle
    output logic [63:0] retired_pc,  // its address

    // The RISC-V Formal Interface, of it what docs/rtl/cpu.md says: an instruction retires, or traps, in this cycle.
    output logic        rvfi_valid,
    output logic [63:0] rvfi_order,
    output logic [31:0] rvfi_insn,
    output logic        rvfi_trap,
    output logic        rvfi_intr,
    output logic [4:0]  rvfi_rd_addr,
    output logic [63:0] rvfi_rd_wdata,
    output logic [63:0] rvfi_pc_rdata,
    output logic [63:0] rvfi_pc_wdata,
    output logic [63:0] rvfi_mem_addr,
    output logic [7:0]  rvfi_mem_rmask,
    output logic [7:0]  rvfi_mem_wmask,
    output logic [63:0] rvfi_mem_rdata,
    output logic [63:0] rvfi_mem_wdata,

    // AXI4 without IDs: single beats, as wide as the access.
    output logic        m_awvalid,
    input  logic        m_awready,
    output logic [63:0] m_awaddr,
    output logic [7:0]  m_awlen,
    output logic [2:0]  m_awsize,
    output logic [1:0]  m_awburst,
    output logic        m_wvalid,
    input  logic        m_wready,
    output logic [63:0] m_wdata,
    output logic [7:0]  m_wstrb,
    output logic        m_wlast,
    input  logic        m_bvalid,
    output logic        m_bready,
    input  logic [1:0]  m_bresp,
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
  typedef enum logic [3:0] {BEGIN, FETCH, SECOND, REFILL, EXECUTE, LOAD, STORE, DIVIDE, WAIT} state_t;
  state_t state;
  logic [63:0] pc, x[32];
  logic [31:0] ir, raw;  // raw: as it lies in memory
  logic compressed;
  logic csr_known, interrupt, pending;
  logic [63:0] csr, vector, back;
  logic [3:0] number;

  // Instructions come from the cache; one may lie in two words.
  localparam int INDEX = $clog2(CACHE);
  logic [63:0] words[CACHE];
  logic [60-INDEX:0] tags[CACHE];
  logic [CACHE-1:0] valid;
  logic [15:0] first_half;
  logic second;  // the refill is of the second word
  wire [63:0] fetch_address = state == SECOND || second ? pc + 2 : pc;
  wire [INDEX-1:0] index = fetch_address[INDEX+2:3];
  wire hit = valid[index] && tags[index] == fetch_address[63:INDEX+3];
  wire [63:0] word = words[index];
  wire [31:0] found = 32'({16'd0, word} >> {pc[2:1], 4'd0});
  logic [31:0] expanded;
  riscv_expand expand (.c(found[15:0]), .i(expanded));

  // What it says.
  wire [6:0] opcode = ir[6:0];
  wire [2:0] funct3 = ir[14:12];
  wire [4:0] rd = ir[11:7];
  wire [63:0] a = x[ir[19:15]], b = x[ir[24:20]];
  wire [63:0] immediate = {{52{ir[31]}}, ir[31:20]}, upper = {{32{ir[31]}}, ir[31:12], 12'd0};
  wire [63:0] store_offset = {{52{ir[31]}}, ir[31:25], ir[11:7]};
  wire [63:0] branch_offset = {{52{ir[31]}}, ir[7], ir[30:25], ir[11:8], 1'b0};
  wire [63:0] jump_offset = {{44{ir[31]}}, ir[19:12], ir[20], ir[30:21], 1'b0};
  wire is_load = opcode == 7'h03 && funct3 != 3'd7, is_store = opcode == 7'h23 && !funct3[2];
  wire by_register = opcode == 7'h33 || opcode == 7'h3b, half = opcode == 7'h3b || opcode == 7'h1b;
  wire is_m = by_register && ir[31:25] == 7'h01, is_divide = is_m && funct3[2];
  wire shift = funct3 == 3'd1 || funct3 == 3'd5;
  wire [6:0] shift_bits = half ? ir[31:25] : {ir[31:26], 1'b0};
  logic alu_known;
  always_comb begin
    alu_known = 0;
    if (by_register)
      alu_known = is_m ? !half || funct3 == 3'd0 || funct3[2]
          : (ir[31:25] == 0 || (ir[31:25] == 7'h20 && (funct3 == 3'd0 || funct3 == 3'd5)))
            && (!half || funct3 == 3'd0 || shift);
    if (opcode == 7'h13 || opcode == 7'h1b)
      alu_known = shift ? shift_bits == 0 || (shift_bits == 7'h20 && funct3 == 3'd5) : !half || funct3 == 3'd0;
  end
  logic [63:0] alu;
  riscv_alu unit (
      .a, .b(by_register ? b : immediate), .operation(funct3), .multiply(is_m), .half, .result(alu),
      .other(ir[30] && !is_m && (by_register ? 1'b1 : shift && funct3 == 3'd5))
  );
  logic divided;
  logic [63:0] quotient;
  riscv_divider divider (
      .clk, .rst_n, .a, .b, .half, .done(divided), .result(quotient),
      .start(state == EXECUTE && is_divide), .is_signed(!funct3[0]), .remainder(funct3[1])
  );
  logic branches;
  always_comb begin
    case (funct3[2:1])
      2'd0: branches = a == b;
      2'd2: branches = $signed(a) < $signed(b);
      default: branches = a < b;
    endcase
    branches = branches != funct3[0];
  end
  wire [63:0] next = pc + (compressed ? 64'd2 : 64'd4);
  wire [63:0] address = a + (is_store ? store_offset : immediate);
  wire misaligned = (funct3[1:0] == 2'd1 && address[0]) || (funct3[1:0] == 2'd2 && address[1:0] != 0)
      || (funct3[1:0] == 2'd3 && address[2:0] != 0);
  wire is_csr = opcode == 7'h73 && funct3[1:0] != 0;
  // Set and clear with register or number 0 do not write.
  wire csr_writes = funct3[1:0] == 2'd1 || ir[19:15] != 0;
  wire mret = ir == 32'h30200073, wfi = ir == 32'h10500073;

  // Data.
  logic [63:0] at;
  wire [63:0] lanes = m_rdata >> {at[2:0], 3'd0};
  logic [63:0] loaded;
  always_comb
    case (funct3)
      3'd0: loaded = {{56{lanes[7]}}, lanes[7:0]};
      3'd1: loaded = {{48{lanes[15]}}, lanes[15:0]};
      3'd2: loaded = {{32{lanes[31]}}, lanes[31:0]};
      3'd4: loaded = 64'(lanes[7:0]);
      3'd5: loaded = 64'(lanes[15:0]);
      3'd6: loaded = 64'(lanes[31:0]);
      default: loaded = lanes;
    endcase

  // What it writes, and where it goes on.
  logic writes;
  logic [63:0] result, target;
  always_comb begin
    writes = 1;
    case (opcode)
      7'h03: result = loaded;
      7'h13, 7'h1b, 7'h33, 7'h3b: result = is_divide ? quotient : alu;
      7'h37: result = upper;
      7'h17: result = pc + upper;
      7'h6f, 7'h67: result = next;
      default: {writes, result} = {is_csr, csr};
    endcase
    case (opcode)
      7'h6f: target = pc + jump_offset;
      7'h67: target = a + immediate & ~64'd1;
      7'h63: target = branches ? pc + branch_offset : next;
      default: target = mret ? back : next;
    endcase
  end

  // Traps: of the cycle's state.
  logic trap, interrupted;
  logic [63:0] cause, fault_value;
  always_comb begin
    {trap, interrupted, cause, fault_value} = '0;
    case (state)
      BEGIN: {trap, interrupted, cause} = {interrupt, interrupt, 1'b1, 59'd0, number};
      REFILL: if (m_rvalid && m_rresp[1]) {trap, cause, fault_value} = {1'b1, 64'd1, fetch_address};
      LOAD: if (m_rvalid && m_rresp[1]) {trap, cause, fault_value} = {1'b1, 64'd5, at};
      STORE: if (m_bvalid && m_bresp[1]) {trap, cause, fault_value} = {1'b1, 64'd7, at};
      EXECUTE:
      if (is_load || is_store) begin
        if (misaligned) {trap, cause, fault_value} = {1'b1, is_load ? 64'd4 : 64'd6, address};
      end else if (ir == 32'h00000073) {trap, cause} = {1'b1, 64'd11};
      else if (ir == 32'h00100073) {trap, cause, fault_value} = {1'b1, 64'd3, pc};
      else if (!(alu_known || opcode == 7'h37 || opcode == 7'h17 || opcode == 7'h6f || (opcode == 7'h67 && funct3 == 0)
                 || (opcode == 7'h63 && funct3[2:1] != 2'd1) || (opcode == 7'h0f && funct3[2:1] == 0) || mret || wfi
                 || (is_csr && csr_known && !(csr_writes && ir[31:30] == 2'b11))))
        {trap, cause, fault_value} = {1'b1, 64'd2, 32'd0, raw};
      default: ;
    endcase
  end

  wire executes = state == EXECUTE && !trap;
  riscv_csr csrs (
      .clk, .rst_n, .hart, .mtime, .meip, .mtip, .msip, .retire(retired), .address(ir[31:20]),
      .write(executes && is_csr && csr_writes), .operand(funct3[2] ? 64'(ir[19:15]) : a), .how(funct3[1:0]), .value(csr),
      .known(csr_known), .trap, .leave(executes && mret), .cause, .pc, .fault_value, .vector, .back, .interrupt, .pending,
      .number
  );

  assign sleeping = state == WAIT && !pending;
  assign retired = (executes && !is_load && !is_store && !is_divide) || (state == LOAD && m_rvalid && !trap)
      || (state == STORE && m_bvalid && !trap) || (state == DIVIDE && divided);
  assign retired_pc = pc;
  wire [7:0] lane_mask = 8'((9'd1 << (4'd1 << funct3[1:0])) - 9'd1);
  assign rvfi_valid = retired || rvfi_trap;
  assign rvfi_insn = state == REFILL ? '0 : raw;
  assign rvfi_trap = trap && !interrupted;
  assign rvfi_rd_addr = retired && writes ? rd : '0;
  assign rvfi_rd_wdata = rvfi_rd_addr == 0 ? '0 : result;
  assign rvfi_pc_rdata = pc;
  assign rvfi_pc_wdata = trap ? vector : target;
  assign rvfi_mem_addr = at;
  assign rvfi_mem_rmask = retired && is_load ? lane_mask : '0;
  assign rvfi_mem_wmask = retired && is_store ? lane_mask : '0;
  assign {rvfi_mem_rdata, rvfi_mem_wdata} = {lanes, b};
  assign {m_arlen, m_awlen, m_arburst, m_awburst, m_wlast} = {8'd0, 8'd0, 2'd1, 2'd1, 1'b1};
  assign {m_araddr, m_arsize} = state == REFILL ? {fetch_address[63:3], 3'd0, 3'd3} : {at, 1'b0, funct3[1:0]};
  assign {m_awaddr, m_awsize} = {at, 1'b0, funct3[1:0]};
  assign m_wdata = b << {at[2:0], 3'd0};
  assign m_wstrb = lane_mask << at[2:0];
  assign {m_rready, m_bready} = {state == REFILL || state == LOAD, state == STORE};

  always_ff @(posedge clk)
    if (!rst_n) begin
      state <= BEGIN;
      pc <= reset_vector;
      {valid, second, m_arvalid, m_awvalid, m_wvalid, rvfi_order, rvfi_intr} <= '0;
      for (int i = 0; i < 32; ++i) x[i] <= '0;
    end else begin
      if (m_arready) m_arvalid <= 0;
      if (m_awready) m_awvalid <= 0;
      if (m_wready) m_wvalid <= 0;
      if (rvfi_valid) {rvfi_order, rvfi_intr} <= {rvfi_order + 64'd1, 1'b0};
      case (state)
        BEGIN: state <= FETCH;
        FETCH: begin
          second <= 0;
          compressed <= found[1:0] != 2'd3;
          ir <= found[1:0] != 2'd3 ? expanded : found;
          raw <= found[1:0] != 2'd3 ? {16'd0, found[15:0]} : found;
          first_half <= word[63:48];
          if (!hit) {state, m_arvalid} <= {REFILL, 1'b1};
          else state <= found[1:0] == 2'd3 && pc[2:1] == 2'd3 ? SECOND : EXECUTE;
        end
        SECOND: begin
          ir <= {word[15:0], first_half};
          raw <= {word[15:0], first_half};
          second <= 1;
          if (!hit) {state, m_arvalid} <= {REFILL, 1'b1};
          else state <= EXECUTE;
        end
        REFILL:
        if (m_rvalid) begin
          words[index] <= m_rdata;
          tags[index] <= fetch_address[63:INDEX+3];
          valid[index] <= !m_rresp[1];
          state <= second ? SECOND : FETCH;
        end
        EXECUTE: begin
          second <= 0;
          at <= address;
          state <= BEGIN;
          if (is_divide) state <= DIVIDE;
          else if (is_load) {state, m_arvalid} <= {LOAD, 1'b1};
          else if (is_store) {state, m_awvalid, m_wvalid} <= {STORE, 2'b11};
          else begin
            pc <= target;
            if (writes) x[rd] <= result;
            if (opcode == 7'h0f && funct3[0]) valid <= '0;
            if (wfi) state <= WAIT;
          end
        end
        LOAD:
        if (m_rvalid) begin
          x[rd] <= result;
          pc <= next;
          state <= BEGIN;
        end
        STORE:
        if (m_bvalid) begin
          pc <= next;
          state <= BEGIN;
        end
        DIVIDE:
        if (divided) begin
          x[rd] <= result;
          pc <= next;
          state <= BEGIN;
        end
        WAIT: if (pending) state <= BEGIN;
        default: ;
      endcase
      if (trap) begin
        pc <= vector;
        rvfi_intr <= 1;
        {state, second, m_arvalid, m_awvalid, m_wvalid} <= {BEGIN, 4'd0};
        if (!interrupted) x[rd] <= x[rd];  // as it was
      end
      x[0] <= '0;
    end
endmodule
