// What $display prints.
module tb;
  reg signed [7:0] s = -5;
  reg [11:0] u = 12'h0a5;
  reg [70:0] w = 71'h12_3456_789a_bcde_f012;
  reg [39:0] text = "hello";
  reg [3:0] x = 4'b1x0z;
  initial begin
    $display("[%d] [%0d] [%5d] [%-5d] [%05d]", s, s, s, s, s);
    $display("[%d] [%0d] [%h] [%0h] [%b] [%0b] [%o]", u, u, u, u, u, u, u);
    $display("[%h] [%d] [%0d]", w, w, w);
    $display("[%s] [%0s] [%10s] [%c]", text, text, text, text[7:0]);
    $display("[%b] [%h] [%d] [%o]", x, x, x, x);
    $display("[%h] [%h] [%d]", 8'bxxxx_zzzz, 8'bx1zz_0000, 4'bz);
    $display("%m at %0t: 100%%, tab\t\"quoted\" \\ \101", $time);
    $display(s, u,, x);
    $display("a", "b", s, "c");
    $write("no line end;");
    $write(" but here\n");
    $display("%d %d", 1 + 1, s + 8'sd1);
    $display;
  end
endmodule
