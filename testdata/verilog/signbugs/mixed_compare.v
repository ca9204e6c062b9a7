// A comparison with an unsigned value is unsigned: -100 is not below 5.
module mixed_compare (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  assign y_o = x_i < 13'd5 ? 16'sd1 : 16'sd0; // want: comparison < of signed and unsigned values
  assign meant_o = x_i < 13'sd5 ? 16'sd1 : 16'sd0;
endmodule
