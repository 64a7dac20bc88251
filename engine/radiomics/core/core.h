// Shared declarations of the radiomics core.
//
// Plain C11 called through ctypes. No state survives a call, nothing here allocates memory that
// the caller must free. Floating point is strict: built with -O3 -ffp-contract=off, never with
// -ffast-math, so every machine computes the same bits.
//
// Conventions: volumes are [slice][row][column]; "padded" volumes carry one layer of background
// on every side; gray levels count from 1 and 0 is background.
#ifndef HEPATOCAST_RADIOMICS_CORE_H
#define HEPATOCAST_RADIOMICS_CORE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

typedef uint16_t Level;

enum { NEIGHBORS = 26, DIRECTIONS = 13 };

int select_ranks(const double *v, int64_t n, double low, double high, const int64_t *ranks,
                 int wanted, double *out);

#endif
