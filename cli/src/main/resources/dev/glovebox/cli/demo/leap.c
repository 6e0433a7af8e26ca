#include <stdio.h>
#include <stdlib.h>

/* A leap year is divisible by 4, but of the centuries only every fourth. */
static int leap(int year)
{
    return year % 4 == 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: leap YEAR\n");
        return 2;
    }
    puts(leap(atoi(argv[1])) ? "leap" : "common");
    return 0;
}
