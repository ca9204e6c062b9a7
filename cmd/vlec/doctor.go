package main

import "vlec/sim/referee"

type doctorCmd struct{}

func (c *doctorCmd) Help() string {
	return `A referee is a simulator or tool of somebody else's that judges what vlec emits.
None is needed to compile; make test installs them on Debian.`
}

func (c *doctorCmd) Run(g *globals) error {
	tools := referee.Doctor(g.ctx)
	if g.JSON {
		return g.json(tools)
	}
	rows := [][]string{{"referee", "version", "for", "path"}}
	for _, t := range tools {
		version, path := t.Version, t.Path
		if path == "" {
			version, path = "missing", "apt-get install "+t.Package
		}
		rows = append(rows, []string{t.Name, version, t.Purpose, path})
	}
	g.table(rows)
	return nil
}
