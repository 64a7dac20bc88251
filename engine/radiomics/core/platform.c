// What the processor can do; asked of the portable library before a faster one is loaded.
#include "core.h"

// 1 when the library built for x86-64-v3 (AVX2, FMA, BMI2) may run here.
API int supports_x86_64_v3(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#else
    return 0;
#endif
}
