// Order of events: what a self-checking testbench stands on.
`timescale 1ns / 100ps
module counter #(parameter W = 4, parameter [W-1:0] STEP = 1) (
  input wire clk_i, input wire rst_i, input wire en_i, output reg [W-1:0] n_o, output wire wrap_o
);
  assign wrap_o = n_o == {W{1'b1}};
  always @(posedge clk_i or posedge rst_i)
    if (rst_i) n_o <= 0;
    else if (en_i) n_o <= n_o + STEP;
endmodule
module tb;
  reg clk = 0, rst = 1, en = 0;
  wire [3:0] n;
  wire [5:0] m;
  wire wrap;
  integer i, edges = 0;
  event done;
  reg [7:0] a, b, c;
  counter dut (.clk_i(clk), .rst_i(rst), .en_i(en), .n_o(n), .wrap_o(wrap));
  counter #(.W(6), .STEP(5)) other (clk, rst, en, m, );
  always #5 clk = ~clk;
  always @(posedge clk) edges = edges + 1;
  always @(negedge rst) $display("%0t reset released", $time);
  always @(wrap or m[5]) $display("%0t wrap %b bit %b", $time, wrap, m[5]);
  task wait_cycles(input integer k);
    repeat (k) @(posedge clk);
  endtask
  task show;
    $display("%0t n %0d m %0d edges %0d", $time, n, m, edges);
  endtask
  initial begin : main
    // Nonblocking assignments take their values first.
    a = 1; b = 2;
    a <= b; b <= a; c = a + b;
    #1 $display("swapped %0d %0d, sum before %0d", a, b, c);
    @(negedge clk) rst = 0;
    en = 1;
    wait_cycles(3);
    show;
    #0.2 show;
    for (i = 0; i < 3; i = i + 1) begin
      @(posedge clk);
      #1;
      if (i == 1) en = 0;
      show;
    end
    en = 1;
    wait (wrap) $display("%0t wrap seen", $time);
    // Values taken now, stored later.
    a = 8'd10;
    b = #3 a + 8'd1;
    $display("%0t delayed %0d", $time, b);
    c <= #7 a;
    a = 8'd20;
    #6.9 $display("%0t not yet %0d", $time, c);
    #0.2 $display("%0t now %0d", $time, c);
    b = @(posedge clk) a;
    $display("%0t at the edge %0d", $time, b);
    fork_free;
    begin : search
      for (i = 0; i < 100; i = i + 1)
        if (i * i > 50) disable search;
    end
    $display("left at %0d", i);
    -> done;
    #100 $display("never seen");
  end
  task fork_free;
    reg [3:0] k;
    begin
      k = 3;
      while (k != 0) begin
        #10 k = k - 1;
      end
      $display("%0t task with waits", $time);
    end
  endtask
  initial begin
    @(done);
    $strobe("strobe sees %0d", a);
    a = 77;
    a <= 78;
    $display("display sees %0d", a);
    #2 $finish;
  end
endmodule
