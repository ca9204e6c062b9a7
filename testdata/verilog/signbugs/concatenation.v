// A concatenation is unsigned.
module concatenation (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  assign y_o = {x_i} + z_i; // want: + of signed and unsigned values
  assign meant_o = x_i + z_i;
endmodule
