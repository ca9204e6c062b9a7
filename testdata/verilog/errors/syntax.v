module a (input wire clk_i, output reg [3:0] q_o);
  wire x y; // want: "y" stands where ";" belongs
  assign = 3; // want: "=" stands where an expression belongs
  always @(posedge clk_i) begin
    q_o <= q_o + ; // want: ";" stands where an expression belongs
    q_o <= 4'd1;
    if q_o) q_o <= 0; // want: "q_o" stands where "(" belongs
  end
  wire [3:0] reg; // want: reserved words cannot be names
  wire w = 4'b012; // want: digit '2' does not belong to base 'b'
  wire v = 4'dx1; // want: x or z must be the only digit
  wire [3:0] u = 3 'q; // want: number without a base
  initial fork q_o = 1; join // want: fork is not supported
  real r; // want: "real" is not supported here
  defparam b.W = 3; // want: override it in the instance
  `undefined_macro // want: macro `undefined_macro is not defined
  initial $display("no end); // want: string without end
  ; // want: ";" stands where ")" belongs
  wire \esc[0] = 1'b0;
  assign #3 w = x;
  tri1 t; // want: "tri1" is not supported here
endmodule
module b; // want: module b without end
