/*
 * broken - does not compile
 */
int main(void) {
    return undeclared;
}
