/* A check that says what it expected, with the line. The program ends with `return failures;`. */
#pragma once
#include <stdint.h>
#include <stdio.h>

static int failures;

#define CHECK_EQUAL(found, expected)                                                                                   \
    do {                                                                                                               \
        uint64_t found_ = (uint64_t)(found), expected_ = (uint64_t)(expected);                                         \
        if (found_ != expected_ && ++failures <= 10)                                                                   \
            printf("%s:%d: %s is %llu, expected %s = %llu\n", __FILE__, __LINE__, #found,                              \
                   (unsigned long long)found_, #expected, (unsigned long long)expected_);                              \
    } while (0)
