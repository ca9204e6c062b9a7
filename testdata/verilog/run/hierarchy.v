// Names across instances, positional and open ports, expressions on ports,
// outputs onto parts and concatenations, signs across a port.
`default_nettype none
module leaf (a, b, y, z);
  parameter signed [3:0] K = -2;
  input signed [3:0] a;
  input [7:0] b;
  output signed [7:0] y;
  output reg z;
  wire signed [7:0] y = a * K + $signed(b);
  always @* z = ^b;
endmodule
module mid #(parameter N = 2) (input wire [7:0] x, output wire [15:0] y, output wire [1:0] p);
  leaf #(3) l0 (x[3:0], x, y[7:0], p[0]);
  leaf #(.K(N)) l1 (.a(x[7:4] + 4'd1), .b({x[3:0], x[7:4]}), .y(y[15:8]), .z(p[1]));
endmodule
module tb;
  reg [7:0] x;
  wire [7:0] hi, lo;
  wire [1:0] p;
  wire signed [15:0] wide;
  mid #(.N(-3)) m (.x(x), .y({hi, lo}), .p(p));
  leaf l (.a(x), .b(8'd3), .y(wide), .z());
  wire g0, g1, g2;
  nand (g0, x[0], x[1], x[2]);
  xor gx (g1, x[0], x[1]);
  not (g2, x[0]);
  initial begin
    for (x = 0; x < 200; x = x + 37) begin
      #1 $display("%0d: %0d %0d %b %0d, %b%b%b", x, hi, lo, p, wide, g0, g1, g2);
      $display("%0d %0d %0d", m.l0.y, m.l1.a, tb.m.l1.K);
    end
  end
endmodule
