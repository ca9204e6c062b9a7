`timescale 1ns/1ns
module tb;
  reg [3:0] got = 4'd3;
  initial begin
    #7 if (got !== 4'd4) $fatal(1, "got %0d at %0t", got, $time);
    $display("not reached");
  end
endmodule
