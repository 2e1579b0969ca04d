/*
 * add.c - the other file of a program in two files
 */
int total;
void add(void);

void add(void) {
    int seen = total;
    total = seen + 1;
}
