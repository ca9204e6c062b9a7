// An unsigned arm makes the whole choice unsigned: -100 arrives as 8092.
module mixed_arm (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  assign y_o = sel_i ? x_i : 13'd0; // want: choice of signed and unsigned values
  assign meant_o = sel_i ? x_i : 13'sd0;
endmodule
