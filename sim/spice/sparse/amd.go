package sparse

import "math"

// amd orders a symmetric pattern so that elimination in that order fills in
// little: the approximate minimum degree algorithm of Amestoy, Davis and Duff
// (SIAM J. Matrix Anal. Appl. 17, 1996), with element absorption, mass
// elimination and merging of indistinguishable variables.
//
// The neighbours of node i are adj[start[i]:start[i+1]], without i itself, each
// edge in both lists; adj is overwritten. It returns the nodes in order of
// elimination and the number of entries below the diagonal that the factor
// will have at most.
//
// Elimination of a node joins its neighbours into a clique. The quotient graph
// keeps a clique as one element with a list of members instead of its edges; a
// variable keeps a list of the elements it belongs to and of the original
// neighbours that no element covers. Lists of variables only shrink and stay
// in place in adj; members of elements go to an arena that grows by append,
// which is never longer than the factor and spares the garbage collection that
// the classical formulation performs in a fixed array.
func amd(start, adj []int32) (order []int32, fill int) {
	n := len(start) - 1
	g := newQuotient(start, adj)
	g.setAsideDense()
	for g.eliminated < n {
		g.eliminate(g.next())
	}
	return g.postorder(), g.fill
}

// quotient is the quotient graph: node i is a variable, until it is eliminated
// and becomes an element, or is merged and becomes nothing.
type quotient struct {
	n          int
	eliminated int
	fill       int

	// Variable i: first its elements, then its uncovered neighbours.
	adj            []int32
	start          []int32
	elements, vars []int32 // how many of each

	// Element e, named after the node whose elimination made it.
	members      []int32
	first, count []int32

	weight  []int32 // nodes that a variable stands for; 0 for what is no variable; negative inside eliminate for members of the new element
	degree  []int32 // variable: bound on the weight of its neighbours; element: weight of its members
	parent  []int32 // what absorbed the element or variable; -1
	element []bool  // was eliminated as a pivot
	alive   []bool  // element with members, and not absorbed

	// mark[e]-base is the weight of the members of e outside the new element
	// where mark[e] >= base. base must advance by the largest degree any element
	// ever had; 64 bits never wrap.
	mark    []int64
	base    int64
	largest int64

	// Variables by degree, and by hash during the search for twins.
	head, succ, pred []int32
	least            int
	hashHead         []int32
	hash             []uint32

	dense []int32
}

func newQuotient(start, adj []int32) *quotient {
	n := len(start) - 1
	g := &quotient{
		n: n, adj: adj, start: start,
		elements: make([]int32, n), vars: make([]int32, n),
		members: make([]int32, 0, len(adj)),
		first:   make([]int32, n), count: make([]int32, n),
		weight: filled(n, 1), degree: make([]int32, n), parent: filled(n, -1), element: make([]bool, n), alive: make([]bool, n),
		mark: make([]int64, n), base: 1,
		head: filled(n+1, -1), succ: filled(n, -1), pred: filled(n, -1),
		hashHead: filled(n, -1), hash: make([]uint32, n),
	}
	for i := range n {
		g.vars[i] = start[i+1] - start[i]
		g.degree[i] = g.vars[i]
		g.enlist(int32(i))
	}
	return g
}

// setAsideDense takes nodes with very many neighbours (a supply rail, a bias)
// out of the graph, to be ordered last: every clique would contain them.
func (g *quotient) setAsideDense() {
	limit := int32(max(16, 10*math.Sqrt(float64(g.n))))
	for i := range g.n {
		if g.degree[i] > limit {
			g.unlist(int32(i))
			g.weight[i] = 0
			g.dense = append(g.dense, int32(i))
			g.eliminated++
		}
	}
	m := len(g.dense)
	g.fill += m * (m - 1) / 2
}

func (g *quotient) enlist(i int32) {
	d := g.degree[i]
	h := g.head[d]
	g.succ[i], g.pred[i] = h, -1
	if h >= 0 {
		g.pred[h] = i
	}
	g.head[d] = i
	g.least = min(g.least, int(d))
}

func (g *quotient) unlist(i int32) {
	s, p := g.succ[i], g.pred[i]
	if s >= 0 {
		g.pred[s] = p
	}
	if p >= 0 {
		g.succ[p] = s
	} else {
		g.head[g.degree[i]] = s
	}
}

func (g *quotient) next() int32 {
	for g.head[g.least] < 0 {
		g.least++
	}
	i := g.head[g.least]
	g.unlist(i)
	return i
}

// eliminate makes variable p an element, and updates the degrees of all its members.
func (g *quotient) eliminate(p int32) {
	pivotWeight := g.weight[p]
	g.eliminated += int(pivotWeight)
	lo, degree := g.form(p)
	g.largest = max(g.largest, int64(degree))
	g.measure(g.members[lo:])

	// Update every member: its lists, its degree, its hash.
	members := g.members[lo:]
	left := degree
	for _, i := range members {
		w := -g.weight[i]
		outside, hash := g.prune(i, p)
		if outside == 0 { // no neighbour beyond the clique: eliminate it along with p
			g.parent[i] = p
			left -= w
			pivotWeight += w
			g.eliminated += int(w)
			g.weight[i] = 0
			continue
		}
		g.degree[i] = min(g.degree[i], outside)
		h := hash % uint32(g.n)
		g.hash[i] = h
		g.succ[i] = g.hashHead[h] // the degree lists do not hold members now
		g.hashHead[h] = i
	}
	g.degree[p] = left
	g.base += g.largest + 1

	g.mergeTwins(members)

	// Members that are still there go back to the lists with a degree that counts the new clique.
	kept := lo
	for _, i := range members {
		w := -g.weight[i]
		if w == 0 {
			continue
		}
		g.weight[i] = w
		d := min(g.degree[i]+left-w, int32(g.n-g.eliminated)-w)
		g.degree[i] = max(d, 0)
		g.enlist(i)
		g.members[kept] = i
		kept++
	}
	g.members = g.members[:kept]
	g.first[p], g.count[p] = int32(lo), int32(kept-lo)
	g.weight[p] = 0
	g.element[p], g.alive[p] = true, kept > lo

	w, r := int(pivotWeight), int(left)+len(g.dense)
	g.fill += w*(w-1)/2 + w*r
}

// form collects the members of the element that p becomes: what p's elements
// cover, and its own neighbours. Their weights are negated as a mark, they
// leave the degree lists, and p's elements are absorbed.
func (g *quotient) form(p int32) (lo int, degree int32) {
	lo = len(g.members)
	g.weight[p] = -g.weight[p] // keeps p out of its own list
	add := func(i int32) {
		if w := g.weight[i]; w > 0 {
			degree += w
			g.weight[i] = -w
			g.members = append(g.members, i)
			g.unlist(i)
		}
	}
	s := g.start[p]
	for _, e := range g.adj[s : s+g.elements[p]] {
		if !g.alive[e] {
			continue
		}
		for _, i := range g.members[g.first[e] : g.first[e]+g.count[e]] {
			add(i)
		}
		g.absorb(e, p)
	}
	for _, i := range g.adj[s+g.elements[p] : s+g.elements[p]+g.vars[p]] {
		add(i)
	}
	g.elements[p], g.vars[p] = 0, 0
	return lo, degree
}

func (g *quotient) absorb(e, by int32) {
	g.parent[e] = by
	g.alive[e] = false
}

// measure finds, for every element that shares members with the new one, the
// weight of those it does not share.
func (g *quotient) measure(members []int32) {
	for _, i := range members {
		w := int64(-g.weight[i])
		s := g.start[i]
		for _, e := range g.adj[s : s+g.elements[i]] {
			if !g.alive[e] {
				continue
			}
			if g.mark[e] < g.base {
				g.mark[e] = g.base + int64(g.degree[e])
			}
			g.mark[e] -= w
		}
	}
}

// prune drops from member i what the new element p covers, adds p to its
// elements, and returns the weight of its neighbours outside p and a hash of
// its lists.
func (g *quotient) prune(i, p int32) (outside int32, hash uint32) {
	s := g.start[i]
	was, end := g.elements[i], g.elements[i]+g.vars[i]
	list := g.adj[s : s+end]
	sum := int64(0)
	kept := int32(0)
	for _, e := range list[:was] {
		if !g.alive[e] {
			continue
		}
		beyond := g.mark[e] - g.base
		if beyond == 0 { // p has every member of e
			g.absorb(e, p)
			continue
		}
		sum += beyond
		hash += uint32(e)
		list[kept] = e
		kept++
	}
	// Now p. Its place is free: i is a member of p through an element that was
	// just dropped, or else through a direct edge, and then p is in the list.
	from := was
	if kept == was {
		for k := was; k < end; k++ {
			if list[k] == p {
				list[k] = list[was]
				break
			}
		}
		from++
	}
	list[kept] = p
	kept++
	hash += uint32(p)
	g.elements[i] = kept
	for _, v := range list[from:] {
		w := g.weight[v]
		if w <= 0 { // gone, or a member of p
			continue
		}
		sum += int64(w)
		hash += uint32(v)
		list[kept] = v
		kept++
	}
	g.vars[i] = kept - g.elements[i]
	return int32(min(sum, int64(g.n))), hash
}

// mergeTwins merges members that have the same elements and neighbours: they
// stay indistinguishable for good and can be eliminated together.
func (g *quotient) mergeTwins(members []int32) {
	for _, m := range members {
		if g.weight[m] == 0 {
			continue
		}
		h := g.hash[m]
		i := g.hashHead[h]
		g.hashHead[h] = -1
		for ; i >= 0 && g.succ[i] >= 0; i = g.succ[i] {
			si, size := g.start[i], g.elements[i]+g.vars[i]
			for _, v := range g.adj[si : si+size] {
				g.mark[v] = g.base
			}
			before := i
			for j := g.succ[i]; j >= 0; j = g.succ[j] {
				if g.elements[j] == g.elements[i] && g.vars[j] == g.vars[i] && g.marked(g.adj[g.start[j]:g.start[j]+size]) {
					g.weight[i] += g.weight[j]
					g.weight[j] = 0
					g.parent[j] = i
					g.vars[j], g.elements[j] = 0, 0
					g.succ[before] = g.succ[j]
				} else {
					before = j
				}
			}
			g.base++
		}
	}
}

func (g *quotient) marked(list []int32) bool {
	for _, v := range list {
		if g.mark[v] != g.base {
			return false
		}
	}
	return true
}

// postorder lists the nodes so that what an element absorbed comes just before
// it: columns with like patterns are then adjacent in the factor.
func (g *quotient) postorder() []int32 {
	child, sibling := filled(g.n, -1), filled(g.n, -1)
	for _, element := range []bool{false, true} { // elements end up in front of merged variables
		for i := g.n - 1; i >= 0; i-- {
			if p := g.parent[i]; p >= 0 && g.element[i] == element {
				sibling[i] = child[p]
				child[p] = int32(i)
			}
		}
	}
	order := make([]int32, 0, g.n)
	aside := make([]bool, g.n)
	for _, i := range g.dense {
		aside[i] = true
	}
	var path []int32
	for root := range g.n {
		if g.parent[root] >= 0 || aside[root] {
			continue
		}
		path = append(path[:0], int32(root))
		for len(path) > 0 {
			i := path[len(path)-1]
			if c := child[i]; c >= 0 {
				child[i] = sibling[c]
				path = append(path, c)
				continue
			}
			order = append(order, i)
			path = path[:len(path)-1]
		}
	}
	return append(order, g.dense...)
}
