// Distances to the border of a region (IBSI 1, chapter 3.9.1).
#include "core.h"

static uint16_t nearer(uint16_t a, uint16_t b) { return a < b ? a : b; }

// City-block distance of each voxel of a padded mask to the nearest voxel outside (IBSI 3.9.1):
// 1 on the border. With `in_plane` only neighbors of the same slice are looked at.
API void measure_border_distance(const uint8_t *mask, const int64_t shape[3], int in_plane,
                                 uint16_t *distance) {
    const int64_t row = shape[2], slice = shape[1] * shape[2], total = shape[0] * slice;
    for (int64_t p = 0; p < total; p++) distance[p] = mask[p] ? UINT16_MAX - 1 : 0;
    for (int64_t p = 0; p < total; p++) {
        if (!mask[p]) continue;
        uint16_t d = nearer(distance[p - 1], distance[p - row]);
        if (!in_plane) d = nearer(d, distance[p - slice]);
        distance[p] = nearer(distance[p], (uint16_t)(d + 1));
    }
    for (int64_t p = total - 1; p >= 0; p--) {
        if (!mask[p]) continue;
        uint16_t d = nearer(distance[p + 1], distance[p + row]);
        if (!in_plane) d = nearer(d, distance[p + slice]);
        distance[p] = nearer(distance[p], (uint16_t)(d + 1));
    }
}
