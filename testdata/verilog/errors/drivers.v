module top (input wire a_i, input wire b_i, output wire [3:0] y_o, output reg q_o);
  assign y_o[1:0] = {a_i, b_i};
  assign y_o[3:1] = 3'd0; // want: y_o is driven twice
  assign a_i = 1'b0; // want: input a_i is driven from inside
  inner i (.q_o(q_o)); // want: variable q_o is assigned continuously
  always @* q_o = a_i;
endmodule
module inner (output wire q_o);
  assign q_o = 1'b1;
endmodule
