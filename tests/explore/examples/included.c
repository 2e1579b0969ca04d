/*
 * included - the same program, its files put together by #include
 */
#include "two/add.c"
#include "two/main.c"
