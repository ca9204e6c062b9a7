// The shift >>> fills with zeros where its neighbour is unsigned.
module neighbour_shift (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  wire signed [12:0] q = (x_i >>> 1) // want: >>> shifts zeros in
    + u_i; // want: + of signed
  assign y_o = q;
  wire signed [12:0] half = x_i >>> 1;
  assign meant_o = half + $signed(u_i);
endmodule
