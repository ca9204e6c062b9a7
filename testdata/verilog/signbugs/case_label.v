// One unsigned label makes the whole case unsigned.
module case_label (
  input wire signed [12:0] x_i,
  input wire signed [12:0] z_i,
  input wire [12:0] u_i,
  input wire sel_i,
  output wire signed [15:0] y_o,
  output wire signed [15:0] meant_o
);
  reg signed [15:0] y;
  always @*
    case (x_i)
      -16'sd100: y = 16'sd1;
      16'd7: y = 16'sd2; // want: case of signed and unsigned values
      default: y = 16'sd3;
    endcase
  assign y_o = y;
  assign meant_o = x_i == -13'sd100 ? 16'sd1 : 16'sd3;
endmodule
