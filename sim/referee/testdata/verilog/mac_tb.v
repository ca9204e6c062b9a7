`timescale 1ns/1ps
`default_nettype none
`ifndef WANT
`define WANT 32'sd42
`endif
module mac_tb;
  reg clk = 1'b0;
  reg signed [15:0] a = -16'sd6;
  reg signed [15:0] b = -16'sd7;
  wire signed [31:0] p;
  mac dut (.clk_i(clk), .a_i(a), .b_i(b), .p_o(p));
`ifdef MEMORY
  reg [7:0] words [0:3];
  initial $readmemh("words.hex", words);
`endif
  initial begin
    #1 clk = 1'b1;
    #1 if (p !== `WANT) $fatal(1, "product %0d", p);
    $display("product %0d", p);
    $finish;
  end
endmodule
`default_nettype wire
