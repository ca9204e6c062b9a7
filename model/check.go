package model

// check looks at the network as a whole once each part is right.
func (d *decoder) check() {
	reached := map[*Population]bool{}
	for again := true; again; {
		again = false
		for _, p := range d.net.Projections {
			src, isPop := p.From.(*Population)
			if (!isPop || reached[src]) && !reached[p.To] {
				reached[p.To], again = true, true
			}
		}
	}
	for _, p := range d.net.Populations {
		if !reached[p] {
			d.Warnings.Add(p.Pos, "add a projection to it, or remove it", "no input reaches population %s", p.Name)
		}
	}
	if len(d.net.Targets) == 0 {
		for _, p := range d.net.Projections {
			if p.Plastic {
				d.Warnings.Add(p.Pos, "add a [target.NAME]", "projection %s is plastic, but without a target there is no error to learn from", p.Name)
			}
		}
	}
}
