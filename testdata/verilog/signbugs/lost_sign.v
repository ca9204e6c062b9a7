// A wire that was declared without signed loses the sign on the way.
module lost_sign (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  wire [12:0] sum = x_i + z_i;
  assign y_o = sum; // want: unsigned value of 13 bits becomes a signed one of 16
  wire signed [12:0] meant = x_i + z_i;
  assign meant_o = meant;
endmodule
