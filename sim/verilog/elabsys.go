package verilog

// System tasks: which there are, and what their arguments must be.

var sysTasks = map[string]bool{
	"$display": true, "$write": true, "$strobe": true, "$monitor": false, "$error": true, "$warning": true, "$info": true,
	"$fatal": true, "$finish": true, "$stop": true, "$readmemh": true, "$readmemb": true,
	"$dumpfile": true, "$dumpvars": true, "$dumpon": true, "$dumpoff": true, "$dumpflush": true,
	"$timeformat": true, "$fflush": true,
}

func (p procElab) sysTask(s *sysStmt) st {
	if !sysTasks[s.name] {
		p.fail(s.pos(), "", "system task %s is not supported", s.name)
		return nil
	}
	t := &sSys{name: s.name, scope: p.sc, pos: s.pos()}
	for i, a := range s.args {
		arg := sysArg{}
		switch a := a.(type) {
		case nil:
			arg.lit, arg.str = true, " "
		case *strLit:
			arg.lit, arg.str = true, a.s
		case *ident:
			switch v := p.e.find(p.sc, a).(type) {
			case *Signal:
				arg.sig = v
				if v.Depth == 0 {
					arg.x = p.final(a)
				} else if s.name != "$readmemh" && s.name != "$readmemb" {
					p.fail(a.pos(), "name a word", "memory %s as an argument of %s", v.base(), s.name)
					return nil
				}
			case *scope:
				if s.name != "$dumpvars" {
					p.fail(a.pos(), "", "%s is not a value", a)
					return nil
				}
				arg.lit, arg.str = true, v.full
			default:
				if arg.x = p.final(a); arg.x == nil {
					return nil
				}
			}
		default:
			if arg.x = p.final(a); arg.x == nil {
				return nil
			}
		}
		if arg.x != nil && arg.x.op == opConst && i == 0 && arg.sig == nil {
			// A parameter that holds text is a format or file name, too.
			arg.str = arg.x.val.text()
		}
		t.args = append(t.args, arg)
	}
	if s.name == "$readmemh" || s.name == "$readmemb" {
		if len(t.args) < 2 || t.args[1].sig == nil || t.args[1].sig.Depth == 0 {
			p.fail(s.pos(), "", "%s wants a file name and a memory", s.name)
			return nil
		}
		t.args[1].sig.procs = true
	}
	return t
}
