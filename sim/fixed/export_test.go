package fixed

// Widen makes a core that fits into 64 bits take its sums in 128.
func (c *Core) Widen() {
	c.wide = true
	for i := range c.pops {
		z := &c.pops[i]
		z.wideDrive, z.wideSum = make([]int128, len(z.U)), make([]int128, len(z.U))
	}
}
