/* Which functions a program has run, for `cargo xtask layout`: loaded before it, this puts a breakpoint on each of
 * them, and each that is reached is written down and taken away. x86-64 Linux.
 *
 * RECORD_FUNCTIONS: a file with their addresses, from the start of the program's first mapping, in hexadecimal.
 * RECORD_TO: where those go that ran. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static unsigned long base, from, to;
/* The code as it was, and where the breakpoints are. */
static unsigned char *code, *set;
static int ran;

static void reached(int signal_number, siginfo_t *info, void *at) {
    greg_t *registers = ((ucontext_t *)at)->uc_mcontext.gregs;
    unsigned long function = (unsigned long)registers[REG_RIP] - 1;
    (void)info;
    if (function < from || function >= to || !set[function - from]) {
        signal(signal_number, SIG_DFL);
        return;
    }
    *(volatile unsigned char *)function = code[function - from];
    registers[REG_RIP] = (greg_t)function;
    /* No printf in the handler of a signal. */
    char line[17];
    for (int digit = 0; digit < 16; digit++)
        line[digit] = "0123456789abcdef"[((function - base) >> (60 - 4 * digit)) & 15];
    line[16] = '\n';
    if (write(ran, line, sizeof line) != sizeof line)
        abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *functions = getenv("RECORD_FUNCTIONS"), *result = getenv("RECORD_TO");
    char program[4096], line[8192];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    FILE *maps = fopen("/proc/self/maps", "r"), *wanted = functions ? fopen(functions, "r") : NULL;
    if (!result || length < 0 || !maps || !wanted)
        abort();
    program[length] = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long first, last;
        char rights[5];
        if (!strstr(line, program) || sscanf(line, "%lx-%lx %4s", &first, &last, rights) != 3)
            continue;
        if (!base)
            base = first;
        if (rights[2] == 'x') {
            from = first;
            to = last;
        }
    }
    fclose(maps);
    ran = open(result, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    code = malloc(to - from);
    set = calloc(to - from, 1);
    if (ran < 0 || !code || !set || mprotect((void *)from, to - from, PROT_READ | PROT_WRITE | PROT_EXEC))
        abort();
    memcpy(code, (void *)from, to - from);
    struct sigaction action = {.sa_sigaction = reached, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigaction(SIGTRAP, &action, NULL);
    unsigned long function;
    while (fscanf(wanted, "%lx", &function) == 1)
        if (base + function >= from && base + function < to) {
            set[base + function - from] = 1;
            *(unsigned char *)(base + function) = 0xcc;
        }
    fclose(wanted);
}
