// Memories, initial values, generate, functions of constants.
`define DEPTH 8
`define MAX(a, b) ((a) > (b) ? (a) : (b))
module ram #(parameter AW = 3, parameter W = 8, parameter FILE = "") (
  input wire clk_i, input wire we_i, input wire [AW-1:0] wa_i, input wire signed [W-1:0] wd_i,
  input wire [AW-1:0] ra_i, output reg signed [W-1:0] rd_o
);
  (* ram_style = "block", no_rw_check *)
  reg signed [W-1:0] mem [0:(1 << AW)-1];
  integer i;
  initial begin
    for (i = 0; i < (1 << AW); i = i + 1) mem[i] = i * i - 4;
    if (FILE != "") $readmemh(FILE, mem);
  end
  always @(posedge clk_i) begin
    if (we_i) mem[wa_i] <= wd_i;
    rd_o <= mem[ra_i];
  end
endmodule
module tb;
  function integer clog2(input integer x);
    integer v;
    begin
      v = x - 1;
      for (clog2 = 0; v > 0; clog2 = clog2 + 1) v = v >> 1;
    end
  endfunction
  localparam AW = clog2(`DEPTH);
  localparam SW = `MAX(AW, 2);
  reg clk = 0, we = 0;
  reg [AW-1:0] wa = 0, ra = 0;
  reg signed [7:0] wd = 0;
  wire signed [7:0] rd, rf;
  ram #(.AW(AW)) plain (.clk_i(clk), .we_i(we), .wa_i(wa), .wd_i(wd), .ra_i(ra), .rd_o(rd));
  ram #(.AW(AW), .FILE("memory.hex")) loaded (.clk_i(clk), .we_i(we), .wa_i(wa), .wd_i(wd), .ra_i(ra), .rd_o(rf));
  wire [SW*4-1:0] squares;
  genvar g;
  generate
    for (g = 0; g < 4; g = g + 1) begin : lane
      wire [SW-1:0] x = g;
      if (g == 2) begin : special
        assign squares[g*SW +: SW] = {SW{1'b1}};
      end else begin : plain
        assign squares[g*SW +: SW] = x * x;
      end
    end
    case (SW)
      3: initial $display("three bits");
      default: initial $display("other");
    endcase
  endgenerate
  task tick;
    begin #1 clk = 1; #1 clk = 0; end
  endtask
  integer k;
  reg [7:0] grid [3:0];
  initial begin
    #1 $display("AW %0d squares %b lane %0d", AW, squares, lane[3].x);
    for (k = 0; k < 8; k = k + 1) begin
      ra = k; tick;
      $display("%0d: %0d %0d", k, rd, rf);
    end
    // Written and read in one cycle: the old value comes.
    we = 1; wa = 3; wd = -100; ra = 3; tick; $display("old %0d", rd);
    we = 0; tick; $display("new %0d, by name %0d", rd, plain.mem[3]);
    grid[0] = 1; grid[3] = 8'hf0;
    grid[3][2:0] = 3'b101; grid[3][7] = 0;
    $display("%h %h %h %h", grid[0], grid[1], grid[3], grid[4]);
    $readmemb("bits.mem", grid, 1, 2);
    $display("%h %h %h %h", grid[0], grid[1], grid[2], grid[3]);
    plain.mem[0] = 9; ra = 0; tick; $display("poked %0d", rd);
`ifdef NOTHING
    $display("not here");
`elsif DEPTH
    $display("depth %0d", `DEPTH);
`else
    $display("nor here");
`endif
  end
endmodule
