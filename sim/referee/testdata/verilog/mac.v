`default_nettype none
module mac (
  input wire clk_i,
  input wire signed [15:0] a_i,
  input wire signed [15:0] b_i,
  output reg signed [31:0] p_o
);
  wire signed [31:0] product = a_i * b_i;
  always @(posedge clk_i) p_o <= product;
endmodule
`default_nettype wire
