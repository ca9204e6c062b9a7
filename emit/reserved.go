package emit

import "strings"

// A Language is a target language as far as names go.
type Language struct{ reserved map[string]bool }

// Reserves tells whether a word is no name in the language.
func (l Language) Reserves(word string) bool { return l.reserved[word] }

// Spice reserves what one of the dialects reads as something else than a name:
// ground, functions and constants of expressions, words of the control language
// and of output statements. Verilog reserves the keywords of IEEE 1364-2005 and
// IEEE 1800-2017, and those of C++, into which Verilator translates.
var (
	Spice = words(`
		0 gnd ground all none
		time temp temper temperature hertz freq frequency pi e i j yes no true false echarge planck boltz kelvin c inf nan
		v vm vp vr vi vdb im ip ir ii idb p w n d
		abs acos acosh agauss asin asinh atan atan2 atanh aunif ceil cos cosh ddt ddx exp fabs floor gauss hypot if int
		ceiling idt idtmod limit ln log log10 m mag max min mod nint ph pow pwr pwrs pwl r img db rand random sdt sgn sign
		sin sinh sqrt stp table tan tanh ternary_fcn trunc u u2 unif uramp buf inv round sqr eq_0 eq ne_0 gt_0 lt_0 ge_0
		le_0 poly pulse sffm am exp_source trnoise trrandom external value vol cur dc ac tran op sens
		param params func ic nodeset include inc lib endl model subckt ends end control endc options option save print
		plot probe meas measure global set let run quit exit source shell alter altermod reset stop title width
		const unknown plots version and or not xor eq neq lt gt le ge`)

	Verilog = words(`
		always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam
		design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable
		endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial inout
		input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor
		noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
		pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
		scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0
		tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor

		accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break byte chandle
		checker class clocking const constraint context continue cover covergroup coverpoint cross dist do endchecker
		endclass endclocking endgroup endinterface endpackage endprogram endproperty endsequence enum eventually expect
		export extends extern final first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies
		import inside int interconnect interface intersect join_any join_none let local logic longint matches modport
		nettype new nexttime null package packed priority program property protected pure rand randc randcase randsequence
		ref reject_on restrict return s_always s_eventually s_nexttime s_until s_until_with sequence shortint shortreal
		soft solve static string strong struct super sync_accept_on sync_reject_on tagged this throughout timeprecision
		timeunit type typedef union unique unique0 until until_with untyped var virtual void wait_order weak wildcard with
		within std

		alignas alignof asm auto bool catch char char8_t char16_t char32_t concept constexpr consteval constinit co_await
		co_return co_yield decltype delete double dynamic_cast explicit false float friend goto inline long mutable
		namespace noexcept nullptr operator private public register reinterpret_cast requires short sizeof static_assert
		static_cast switch template thread_local throw true try typeid typename using volatile wchar_t main`)
)

func words(list string) Language {
	reserved := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		reserved[word] = true
	}
	return Language{reserved}
}
