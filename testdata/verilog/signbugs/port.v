// What is connected to a wider signed port is extended by its own sign.
module port (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  wire [12:0] flat = x_i;
  double wrong (.x_i(flat), .y_o(y_o)); // want: unsigned value of 13 bits becomes a signed one of 15
  double right (.x_i({{2{flat[12]}}, flat}), .y_o(meant_o));
endmodule
module double (input wire signed [14:0] x_i, output wire signed [15:0] y_o);
  assign y_o = x_i + x_i;
endmodule
