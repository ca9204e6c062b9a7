`default_nettype none
module leaf #(parameter W = 4) (input wire [W-1:0] a_i, output wire [W-1:0] y_o);
  assign y_o = a_i;
endmodule
module top (input wire clk_i, input wire [3:0] d_i, output reg [3:0] q_o, output wire [3:0] w_o);
  wire [3:0] x;
  wire [3:0] x; // want: x is declared twice
  reg [3:0] v;
  reg [7:0] mem [0:3];
  reg scalar;
  assign x = nowhere; // want: nowhere is not declared
  assign v = 4'd1; // want: variable v is assigned continuously
  leaf #(.V(3)) l0 (.a_i(d_i), .y_o(w_o)); // want: module leaf has no parameter V
  leaf l1 (.b_i(d_i)); // want: module leaf has no port b_i
  missing l2 (d_i); // want: there is no module missing
  leaf l3 (d_i, x, x); // want: module leaf has 2 ports
  always @(posedge clk_i) begin
    x <= 4'd2; // want: net x is assigned in a process
    q_o <= mem; // want: memory mem is used as a whole
    mem <= q_o; // want: memory mem is assigned as a whole
    q_o[d_i:0] <= 4'd1; // want: d_i is not constant
    q_o <= scalar[0]; // want: scalar is a scalar
    q_o <= q_o[0:3]; // want: part [0:3] runs against the declaration [3:0]
    q_o <= {1, 2'b10}; // want: number without a width in a concatenation
    q_o <= d_i[2][1]; // want: part of a part
    q_o <= sum(1); // want: sum wants more than 1 arguments
    q_o <= later.x; // want: later.x is not declared
    q_o <= $sqrt(2); // want: system function $sqrt is not supported
    $monitor(q_o); // want: system task $monitor is not supported
  end
  always q_o = 1; // want: never ends
  function [3:0] sum(input [3:0] a, input [3:0] b);
    sum = a + b;
  endfunction
  function [3:0] rec(input [3:0] a);
    rec = rec(a); // want: recursion is not supported
  endfunction
  wire [3:0] y = rec(d_i);
  wire [100000:0] huge; // want: a vector has 1 to 65536 bits
  reg [31:0] deep [0:2000000000]; // want: the limit is
  localparam R = {70000{1'b1}}; // want: a vector has 1 to 65536 bits
  genvar i;
  generate for (i = 0; i < 1; i = i) begin : g end endgenerate // want: more than 65536 generated blocks
endmodule
