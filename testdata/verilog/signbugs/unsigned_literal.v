// A literal with a width and without s is unsigned.
module unsigned_literal (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  assign y_o = x_i + 13'd0; // want: + of signed and unsigned values
  assign meant_o = x_i + 13'sd0;
endmodule
