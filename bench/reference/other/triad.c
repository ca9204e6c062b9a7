/* The triad of STREAM, a = b + s c, on arrays of N doubles; prints the best of
   ROUNDS in bytes per second, 24 bytes an element. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(int argc, char **argv) {
	long n = atol(argv[1]);
	int rounds = atoi(argv[2]);
	double *a = malloc(8 * n), *b = malloc(8 * n), *c = malloc(8 * n), best = 0;
#pragma omp parallel for
	for (long i = 0; i < n; i++) a[i] = 1, b[i] = 2, c[i] = 0.5;
	for (int k = 0; k < rounds; k++) {
		double start = now();
#pragma omp parallel for
		for (long i = 0; i < n; i++) a[i] = b[i] + 3 * c[i];
		double rate = 24.0 * n / (now() - start);
		if (rate > best) best = rate;
	}
	if (a[n / 2] != 3.5) return 1;
	printf("%.0f\n", best);
	return 0;
}
