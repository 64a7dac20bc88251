// Sums over the positions of a mask's voxels, in voxels.
#include "core.h"

// Number of voxels, sums of z, y and x, and of zz, yy, xx, zy, zx, yx: exact.
API void sum_positions(const uint8_t *mask, const int64_t shape[3], int64_t sums[10]) {
    memset(sums, 0, 10 * sizeof(int64_t));
    for (int64_t z = 0; z < shape[0]; z++)
        for (int64_t y = 0; y < shape[1]; y++, mask += shape[2]) {
            int64_t n = 0, sx = 0, sxx = 0;
            for (int64_t x = 0; x < shape[2]; x++) {
                const int64_t inside = mask[x];
                n += inside;
                sx += inside * x;
                sxx += inside * x * x;
            }
            const int64_t row[10] = {n,         n * z,     n * y,     sx,     n * z * z,
                                     n * y * y, sxx,       n * z * y, z * sx, y * sx};
            for (int k = 0; k < 10; k++) sums[k] += row[k];
        }
}

// Sum of the intensities in a mask, and of the intensities times z, y and x.
API void weigh_positions(const double *image, const uint8_t *mask, const int64_t shape[3],
                         double sums[4]) {
    for (int k = 0; k < 4; k++) sums[k] = 0;
    for (int64_t z = 0; z < shape[0]; z++)
        for (int64_t y = 0; y < shape[1]; y++, mask += shape[2], image += shape[2]) {
            double sum = 0, sx = 0;
            for (int64_t x = 0; x < shape[2]; x++) {
                const double weight = mask[x] ? image[x] : 0;
                sum += weight;
                sx += weight * (double)x;
            }
            sums[0] += sum;
            sums[1] += sum * (double)z;
            sums[2] += sum * (double)y;
            sums[3] += sx;
        }
}
