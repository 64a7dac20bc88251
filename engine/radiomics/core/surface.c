// Surface cells of a mask and the convex hull of its surface (IBSI 1, chapter 3.1).
#include "core.h"

enum { CONFIGURATIONS = 256 };

static int any_set(const uint8_t *mask, int64_t n) {
    uint8_t seen = 0;
    for (int64_t i = 0; i < n; i++) seen |= mask[i];
    return seen != 0;
}

// First and last index with a voxel set along each axis: box[axis][2]. Returns 0 for an empty
// mask. Slices without voxels are passed over at memory speed.
API int find_box(const uint8_t *mask, const int64_t shape[3], int64_t *box) {
    const int64_t rows = shape[1], columns = shape[2];
    int found = 0;
    for (int64_t z = 0; z < shape[0]; z++) {
        const uint8_t *slice = mask + z * rows * columns;
        if (!any_set(slice, rows * columns)) continue;
        if (!found) {
            box[0] = z;
            box[2] = rows;
            box[3] = -1;
            box[4] = columns;
            box[5] = -1;
        }
        found = 1;
        box[1] = z;
        for (int64_t y = 0; y < rows; y++) {
            const uint8_t *row = slice + y * columns;
            if (!any_set(row, columns)) continue;
            if (y < box[2]) box[2] = y;
            if (y > box[3]) box[3] = y;
            int64_t first = 0, last = columns - 1;
            while (!row[first]) first++;
            while (!row[last]) last--;
            if (first < box[4]) box[4] = first;
            if (last > box[5]) box[5] = last;
        }
    }
    return found;
}

// Count the marching cubes configurations of a padded mask. Corner (dz, dy, dx) of a cell sets
// bit 4 dz + 2 dy + dx. counts: [256][4] cells and the sums of their z, y and x indices.
API void count_surface_cells(const uint8_t *mask, const int64_t shape[3], int64_t *counts) {
    const int64_t row = shape[2], slice = shape[1] * shape[2];
    for (int64_t z = 0; z + 1 < shape[0]; z++) {
        for (int64_t y = 0; y + 1 < shape[1]; y++) {
            const uint8_t *m = mask + z * slice + y * row;
            int left = 0;  // the four corners at dx = 0 are background in column 0
            for (int64_t x = 0; x + 1 < shape[2]; x++) {
                const int right = m[x + 1] | m[x + 1 + row] << 2 | m[x + 1 + slice] << 4 |
                                  m[x + 1 + slice + row] << 6;
                if (left | right) {
                    const int configuration = left | right << 1;
                    if (configuration != CONFIGURATIONS - 1) {
                        int64_t *c = counts + 4 * configuration;
                        c[0]++;
                        c[1] += z;
                        c[2] += y;
                        c[3] += x;
                    }
                }
                left = right;
            }
        }
    }
}

typedef struct {
    int32_t vertex[3];    // counterclockwise seen from outside
    int32_t neighbor[3];  // face across the edge vertex[k] -> vertex[(k + 1) % 3]
    int64_t normal[3];
    int64_t offset;       // normal . p == offset on the face
    int32_t outside;      // first point above the face, -1 for none; linked by `next`
    int32_t mark;         // last visit that saw the face
    int8_t alive;
} Face;

typedef struct {
    const int32_t *points;  // [n][3]
    int32_t *next;          // point lists
    Face *faces;
    int32_t face_count, face_room;
    int32_t *edges;         // horizon: face below, edge index in it
    int32_t *stack;
    int32_t *fan;           // [n] new face that starts at a horizon vertex
    int32_t visit;
} Hull;

// Height of a point above a face, in units of the face's normal. Exact: |coordinates| < 2^13.
static int64_t height(const Face *f, const int32_t *p) {
    return f->normal[0] * p[0] + f->normal[1] * p[1] + f->normal[2] * p[2] - f->offset;
}

static const int32_t *point(const Hull *h, int32_t index) { return h->points + 3 * (int64_t)index; }

static int32_t add_face(Hull *h, int32_t a, int32_t b, int32_t c) {
    Face *f = h->faces + h->face_count;
    const int32_t *p = point(h, a), *q = point(h, b), *r = point(h, c);
    int64_t u[3], v[3];
    for (int k = 0; k < 3; k++) {
        u[k] = q[k] - p[k];
        v[k] = r[k] - p[k];
    }
    for (int k = 0; k < 3; k++)
        f->normal[k] = u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3];
    f->offset = f->normal[0] * p[0] + f->normal[1] * p[1] + f->normal[2] * p[2];
    f->vertex[0] = a;
    f->vertex[1] = b;
    f->vertex[2] = c;
    f->outside = -1;
    f->mark = 0;
    f->alive = 1;
    return h->face_count++;
}

// Give every point of a list to the first of the faces it lies above; points below all are inside.
static void distribute(Hull *h, int32_t list, int32_t first_face) {
    while (list >= 0) {
        const int32_t p = list;
        list = h->next[p];
        for (int32_t f = first_face; f < h->face_count; f++) {
            if (height(h->faces + f, point(h, p)) > 0) {
                h->next[p] = h->faces[f].outside;
                h->faces[f].outside = p;
                break;
            }
        }
    }
}

static int32_t take_highest(Hull *h, Face *f) {
    int32_t best = f->outside, before_best = -1;
    int64_t most = -1;
    for (int32_t p = f->outside, before = -1; p >= 0; before = p, p = h->next[p]) {
        const int64_t up = height(f, point(h, p));
        if (up > most) {
            most = up;
            best = p;
            before_best = before;
        }
    }
    if (before_best < 0) f->outside = h->next[best];
    else h->next[before_best] = h->next[best];
    return best;
}

// Kill the faces that a point sees. Returns the number of horizon edges; orphaned points are
// linked into *orphans.
static int32_t find_horizon(Hull *h, int32_t start, int32_t p, int32_t *orphans) {
    int32_t depth = 0, edges = 0;
    h->visit++;
    h->stack[depth++] = start;
    h->faces[start].mark = h->visit;
    while (depth) {
        Face *f = h->faces + h->stack[--depth];
        f->alive = 0;
        for (int32_t q = f->outside, after; q >= 0; q = after) {
            after = h->next[q];
            h->next[q] = *orphans;
            *orphans = q;
        }
        for (int k = 0; k < 3; k++) {
            const int32_t index = f->neighbor[k];
            Face *g = h->faces + index;
            if (g->mark == h->visit) continue;
            if (height(g, point(h, p)) > 0) {
                g->mark = h->visit;
                h->stack[depth++] = index;
            } else {
                int edge = 0;
                while (g->vertex[edge] != f->vertex[(k + 1) % 3]) edge++;
                h->edges[2 * edges] = index;
                h->edges[2 * edges + 1] = edge;
                edges++;
            }
        }
    }
    return edges;
}

static int reserve_faces(Hull *h, int32_t more) {
    if (h->face_count + more <= h->face_room) return 1;
    const int32_t room = 2 * (h->face_count + more);
    Face *faces = realloc(h->faces, (size_t)room * sizeof(Face));
    if (faces) h->faces = faces;
    int32_t *stack = realloc(h->stack, (size_t)room * sizeof(int32_t));
    if (stack) h->stack = stack;
    int32_t *edges = realloc(h->edges, (size_t)room * 6 * sizeof(int32_t));
    if (edges) h->edges = edges;
    if (!faces || !stack || !edges) return 0;
    h->face_room = room;
    return 1;
}

// Close the hole in the hull with a fan of faces from the horizon to the point.
static void add_fan(Hull *h, int32_t p, int32_t edges) {
    const int32_t first = h->face_count;
    for (int32_t e = 0; e < edges; e++) {
        const int32_t below = h->edges[2 * e], edge = h->edges[2 * e + 1];
        const int32_t a = h->faces[below].vertex[(edge + 1) % 3], b = h->faces[below].vertex[edge];
        const int32_t f = add_face(h, a, b, p);
        h->faces[f].neighbor[0] = below;
        h->faces[below].neighbor[edge] = f;
        h->fan[a] = f;
    }
    for (int32_t f = first; f < h->face_count; f++) {
        const int32_t next = h->fan[h->faces[f].vertex[1]];
        h->faces[f].neighbor[1] = next;
        h->faces[next].neighbor[2] = f;
    }
}

// A first tetrahedron from points that are not coplanar. Returns 0 when there are none.
static int start_hull(Hull *h, int32_t n) {
    int32_t b = 1, c, d;
    while (b < n && !memcmp(point(h, 0), point(h, b), 3 * sizeof(int32_t))) b++;
    for (c = b + 1; c < n; c++) {
        h->face_count = 0;
        const Face *f = h->faces + add_face(h, 0, b, c);
        if (f->normal[0] || f->normal[1] || f->normal[2]) break;
    }
    if (c >= n) return 0;
    for (d = c + 1; d < n && height(h->faces, point(h, d)) == 0; d++) {}
    if (d >= n) return 0;
    const int flip = height(h->faces, point(h, d)) > 0;
    const int32_t t[4] = {0, flip ? c : b, flip ? b : c, d};
    static const int FACES[4][3] = {{0, 1, 2}, {0, 3, 1}, {1, 3, 2}, {2, 3, 0}};
    static const int ACROSS[4][3] = {{1, 2, 3}, {3, 2, 0}, {1, 3, 0}, {2, 1, 0}};
    h->face_count = 0;
    for (int f = 0; f < 4; f++) {
        const int32_t index = add_face(h, t[FACES[f][0]], t[FACES[f][1]], t[FACES[f][2]]);
        for (int k = 0; k < 3; k++) h->faces[index].neighbor[k] = ACROSS[f][k];
    }
    for (int32_t p = 0; p < n; p++) h->next[p] = p + 1 < n ? p + 1 : -1;
    distribute(h, 0, 0);
    return 1;
}

static int grow_hull(Hull *h) {
    for (int32_t f = 0; f < h->face_count; f++) {
        while (h->faces[f].alive && h->faces[f].outside >= 0) {
            const int32_t p = take_highest(h, h->faces + f);
            int32_t orphans = -1;
            const int32_t edges = find_horizon(h, f, p, &orphans), first = h->face_count;
            if (!reserve_faces(h, edges)) return 0;
            add_fan(h, p, edges);
            distribute(h, orphans, first);
        }
    }
    return 1;
}

static double largest_distance(const double *position, int32_t n) {
    double most = 0;
    for (int32_t a = 0; a < n; a++) {
        for (int32_t b = a + 1; b < n; b++) {
            const double z = position[3 * a] - position[3 * b];
            const double y = position[3 * a + 1] - position[3 * b + 1];
            const double x = position[3 * a + 2] - position[3 * b + 2];
            const double squared = z * z + y * y + x * x;
            if (squared > most) most = squared;
        }
    }
    return sqrt(most);
}

// Volume, area and diameter of the finished hull. `unit` is the length of a lattice step (mm).
static void measure_faces(Hull *h, int32_t n, const double unit[3], double *scratch, double *out) {
    double area = 0;
    int64_t determinant = 0;
    int32_t corners = 0;
    memset(h->fan, 0, (size_t)n * sizeof(int32_t));
    for (int32_t f = 0; f < h->face_count; f++) {
        const Face *face = h->faces + f;
        if (!face->alive) continue;
        const double z = (double)face->normal[0] * unit[1] * unit[2];
        const double y = (double)face->normal[1] * unit[0] * unit[2];
        const double x = (double)face->normal[2] * unit[0] * unit[1];
        area += sqrt(z * z + y * y + x * x) / 2;
        determinant += face->offset;
        for (int k = 0; k < 3; k++) {
            const int32_t p = face->vertex[k];
            if (h->fan[p]) continue;
            h->fan[p] = 1;
            for (int axis = 0; axis < 3; axis++)
                scratch[3 * corners + axis] = point(h, p)[axis] * unit[axis];
            corners++;
        }
    }
    out[0] = (double)(determinant < 0 ? -determinant : determinant) / 6 *
             unit[0] * unit[1] * unit[2];
    out[1] = area;
    out[2] = largest_distance(scratch, corners);
}

// Convex hull of n lattice points [n][3], with exact integer predicates. out: volume (mm^3),
// area (mm^2) and largest distance between corners (mm). Returns 0 when all points are coplanar,
// -1 when memory ran out.
API int measure_hull(const int32_t *points, int32_t n, const double unit[3], double out[3]) {
    Hull h = {.points = points};
    h.next = malloc((size_t)n * sizeof(int32_t));
    h.fan = malloc((size_t)n * sizeof(int32_t));
    double *scratch = malloc((size_t)n * 3 * sizeof(double));
    int result = -1;
    if (h.next && h.fan && scratch && reserve_faces(&h, 16)) {
        result = start_hull(&h, n);
        if (result && !grow_hull(&h)) result = -1;
        if (result > 0) measure_faces(&h, n, unit, scratch, out);
    }
    free(h.next);
    free(h.fan);
    free(h.faces);
    free(h.stack);
    free(h.edges);
    free(scratch);
    return result;
}
