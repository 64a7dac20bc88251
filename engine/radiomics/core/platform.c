// What the processor can do; asked of the portable library before a faster one is loaded.
#include "core.h"

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t read_enabled_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}
#endif

// 1 when the library built for x86-64-v3 may run here: the processor has all its instructions
// and the operating system keeps the wide registers.
API int supports_x86_64_v3(void) {
#if defined(__x86_64__)
    const uint32_t basic = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    const uint32_t extended = bit_AVX2 | bit_BMI | bit_BMI2;
    const uint64_t wide_registers = 6;
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & basic) != basic) return 0;
    if ((read_enabled_state() & wide_registers) != wide_registers) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & extended) != extended) return 0;
    return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & bit_LZCNT) != 0;
#else
    return 0;
#endif
}
