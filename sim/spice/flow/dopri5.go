package flow

// A method is an explicit Runge-Kutta pair with dense output. Stage i is taken
// at time t + c[i] h from x + h sum_j a[i][j] k_j; the last stage of a method
// with reuse is the derivative at the end of the step, and the first of the
// next.
type method struct {
	name   string
	order  int // of the error estimate, plus one
	a      [][]float64
	c      []float64
	result []float64   // weights of the step
	reuse  bool        // the last stage is taken at the result
	errors [][]float64 // weights of the error estimates; a second one, of lower order, is combined with the first
	extra  int         // stages after the result, the last of c, for dense output only
	// dense sets w to the weights of the stages that give x(t + theta h).
	dense func(theta float64, w []float64)
}

// dopri5 is the pair of order 5(4) by Dormand and Prince (J. Comput. Appl.
// Math. 6, 1980) with the dense output of order 4 by Hairer and Wanner (Hairer,
// Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.6).
var dopri5 = method{
	name:  "dopri5",
	order: 5,
	c:     []float64{0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1},
	a: [][]float64{
		{},
		{1. / 5},
		{3. / 40, 9. / 40},
		{44. / 45, -56. / 15, 32. / 9},
		{19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
		{9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
		{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
	},
	result: []float64{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
	reuse:  true,
	errors: [][]float64{{71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40}},
	dense: func(theta float64, w []float64) {
		b := [7]float64{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84, 0}
		d := [7]float64{
			-12715105075. / 11282082432, 0, 87487479700. / 32700410799, -10690763975. / 1880347072,
			701980252875. / 199316789632, -1453857185. / 822651844, 69997945. / 29380423,
		}
		u := 1 - theta
		p, q, r := theta*u, theta*theta*u, theta*theta*u*u
		for i := range b {
			w[i] = b[i]*(theta-p+2*q) + d[i]*r
		}
		w[0] += p - q
		w[6] -= q
	},
}
