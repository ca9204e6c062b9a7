// The shift >> fills with zeros, also in a signed value.
module logical_shift (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  assign y_o = x_i >> 1; // want: >> shifts zeros into a signed value
  assign meant_o = x_i >>> 1;
endmodule
