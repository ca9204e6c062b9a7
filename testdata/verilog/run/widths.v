// The rules of width and sign, one by one (IEEE 1364-2005, sections 5.4, 5.5).
module tb;
  reg [3:0] u4;
  reg [7:0] u8;
  reg signed [3:0] s4;
  reg signed [7:0] s8;
  reg [15:0] r;
  reg signed [15:0] q;
  reg [0:7] up;
  reg [11:4] off;
  initial begin
    u4 = 4'd15; u8 = 8'd200; s4 = -4'sd3; s8 = -8'sd100;
    // The carry lives where the context is wide, and dies where it is not.
    r = u4 + u4; $display("carry kept %0d", r);
    $display("carry lost %b %b", {u4 + u4}, (u4 + u4) > 4'd15);
    r = (u4 + u4) >> 1; $display("shift sees the carry %0d", r);
    r = {u4 + u4} >> 1; $display("braces do not %0d", r);
    // One unsigned operand makes all of them unsigned.
    q = s4 + s8; $display("signed sum %0d", q);
    q = s4 + s8 + 1'b0; $display("with an unsigned bit %0d", q);
    q = s4 + s8 + 1'sb0; $display("with a signed bit %0d", q);
    q = s8 * u4; $display("mixed product %0d", q);
    q = s8 * $signed({1'b0, u4}); $display("signed product %0d", q);
    // Parts and concatenations are unsigned.
    q = s8[7:0]; $display("whole part %0d", q);
    q = {s8}; $display("concatenation %0d", q);
    q = $signed(s8[7:0]); $display("part made signed %0d", q);
    // >>> is arithmetic only in a signed context.
    q = s8 >>> 2; $display("arithmetic %0d", q);
    q = (s8 >>> 2) + 8'd0; $display("logical by its neighbour %0d", q);
    q = s8 >> 2; $display("logical shift of a wide context %0d", q);
    // A comparison is a context of its own.
    $display("compare %b %b %b", s8 < s4, s8 < u4, s8 < $signed(u4));
    $display("compare literal %b %b", s8 < 5, s8 < 5'd5);
    q = s8 < s4; $display("result is unsigned %0d", q);
    // Both arms of ?: count.
    q = 1'b1 ? s8 : u8; $display("mixed arms %0d", q);
    q = 1'b1 ? s8 : s4; $display("signed arms %0d", q);
    q = (u4 > 3) ? s8 : -1; $display("condition does not count %0d", q);
    // Literals.
    q = 'hff; $display("unsized %0d", q);
    q = 8'shff; $display("signed %0d", q);
    q = -8'd1; $display("negated unsigned %0d", q);
    q = 'bx; $display("unknown fills %b", q);
    r = 4'bz; $display("sized does not %b", r);
    r = -1; $display("minus one %0d", r);
    // Unary operators.
    r = ~u4; $display("inverted in context %h", r);
    r = !u4; $display("not %h", r);
    r = -u4; $display("negated in context %h", r);
    r = &u4 + ~&u4 + ^u8 + ~^u8; $display("reductions %0d", r);
    // Division rounds towards zero, the remainder has the sign of the dividend.
    q = -8'sd7 / 8'sd2; $display("quotient %0d", q);
    q = -8'sd7 % 8'sd2; $display("remainder %0d", q);
    q = 8'sd7 % -8'sd2; $display("remainder %0d", q);
    q = -8'sd7 / 8'd2; $display("mixed quotient %0d", q);
    q = s8 / 0; $display("by zero %b", q);
    // Powers.
    q = 2 ** 10; $display("power %0d", q);
    q = s4 ** 3; $display("signed power %0d", q);
    q = 2 ** -1; $display("negative exponent %0d", q);
    q = (-1) ** -3; $display("of minus one %0d", q);
    // Indexes of vectors that do not begin at 0.
    up = 8'b1100_0001; off = 8'b1100_0001;
    $display("ascending %b %b %b %b", up[0], up[0:3], up[2+:3], up[7-:2]);
    $display("offset %b %b %b %b", off[4], off[11:8], off[5+:3], off[11-:2]);
    $display("outside %b %b", up[8], off[3:1]);
    up[2+:3] = 3'b101; off[11-:2] = 2'b01; $display("written %b %b", up, off);
    u8 = 8'b1010_0101; u4 = 9; u8[u4] = 1'b1; $display("written outside %b", u8);
    // Shifts by more than the width, by unknown amounts, by negative ones.
    r = 16'hffff << 20; $display("far %h", r);
    r = 16'hffff >> 1'bx; $display("unknown amount %h", r);
    s4 = -1; r = 16'hffff >> s4; $display("amount is unsigned %h", r);
    q = 16'sh8000 >>> 40; $display("far arithmetic %h", q);
    // A case takes the widest of all its expressions, signed only if all are.
    s4 = -4'sd1;
    case (s4) 8'd255: $display("sign-extended"); 8'd15: $display("zero-extended"); default: $display("neither"); endcase
    case (s4) 8'sd15: $display("zero-extended"); -8'sd1: $display("sign-extended"); default: $display("neither"); endcase
    // Functions take and give what they declare.
    $display("function %0d %0d", half(8'd200), half(-8'sd100));
  end
  function signed [7:0] half(input signed [7:0] x);
    half = x >>> 1;
  endfunction
endmodule
