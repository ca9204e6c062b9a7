package main

import "vlec/internal/compile"

type versionCmd struct{}

func (c *versionCmd) Run(g *globals) error {
	if g.JSON {
		return g.json(map[string]string{"version": compile.Generator})
	}
	g.say("%s", compile.Generator)
	return nil
}
