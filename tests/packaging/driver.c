// Calls a radiomics core without Python: filters a synthetic volume, describes the response, and
// writes the numbers to standard output as they are. Used by wheels.py to compare processors.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { N = 24, TAPS = 9, LEFT = N - TAPS + 1, VALUES = LEFT * LEFT * LEFT };

int describe_intensities(const double *v, int64_t n, double *f);
void count_levels(const double *v, int64_t n, const double bins[3], int32_t most, uint16_t *levels,
                  uint32_t *counts);
int describe_histogram(const uint32_t *h, int levels, double *f);
void filter_laplacian(const double *in, const int64_t strides[2], const int64_t shape[3],
                      const double *kernels, const int64_t taps[3], double *scratch, double *out);
int sum_pairs(const double *fields, const int64_t shape[3], const int64_t sizes[3],
              const double spacing[3], double out[3]);

static double image[N * N * N], kernels[6 * TAPS], response[VALUES], fields[3 * VALUES];
static double scratch[2 * N * (N * LEFT + LEFT)], f[18 + 23 + 3];
static uint16_t levels[VALUES];
static uint32_t counts[32];

int main(void) {
    uint64_t state = 12345;
    for (int i = 0; i < N * N * N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        image[i] = (double)(state >> 53) / 20.48;
    }
    for (int axis = 0; axis < 3; axis++)
        for (int k = 0; k < TAPS; k++) {  // rational weights: no library function decides them
            const double x = k - TAPS / 2, smooth = 1 / (1 + x * x);
            kernels[axis * 2 * TAPS + k] = smooth;
            kernels[axis * 2 * TAPS + TAPS + k] = smooth * (x * x - 1) / 4;
        }
    const int64_t strides[2] = {N * N, N}, shape[3] = {N, N, N}, taps[3] = {TAPS, TAPS, TAPS};
    filter_laplacian(image, strides, shape, kernels, taps, scratch, response);
    if (!describe_intensities(response, VALUES, f)) return 1;
    const double bins[3] = {f[5], 32, f[8] - f[5]};
    count_levels(response, VALUES, bins, 32, levels, counts);
    if (!describe_histogram(counts, 32, f + 18)) return 1;
    for (int i = 0; i < VALUES; i++) {
        fields[i] = levels[i] % 3 != 0;
        fields[VALUES + i] = fields[i] * (response[i] - f[0]);
        fields[2 * VALUES + i] = fields[VALUES + i] * fields[VALUES + i];
    }
    const int64_t box[3] = {LEFT, LEFT, LEFT}, sizes[3] = {32, 32, 36};
    const double spacing[3] = {1, 0.75, 0.75};
    if (!sum_pairs(fields, box, sizes, spacing, f + 18 + 23)) return 1;
    return fwrite(f, sizeof f, 1, stdout) == 1 ? 0 : 1;
}
