/* Loaded before all other libraries: memory that PyTorch allocates for tensors lies between stretches of a known byte.
 *
 * PyTorch takes the memory of CPU tensors from posix_memalign. Here every such block gets GUARD bytes more on either
 * side; guard_check says how many blocks had theirs changed, counting those that were freed in the meantime.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 512
#define SLOTS (1u << 16)
#define LEAST_ALIGNMENT 64 /* what PyTorch asks for */

struct block {
    char *start;
    size_t size;
    size_t front;
    unsigned char byte;
};

static struct block blocks[SLOTS];
static size_t live;
static unsigned char byte = 0x5a;
static long changed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *(*real_memalign)(size_t, size_t);
static void (*real_free)(void *);
static void *(*real_realloc)(void *, size_t);

static size_t slot_of(const void *pointer) { return ((uintptr_t)pointer >> 6) * 2654435761u % SLOTS; }

static struct block *find(const void *pointer) {
    for (size_t slot = slot_of(pointer); blocks[slot].start; slot = (slot + 1) % SLOTS)
        if (blocks[slot].start == pointer) return &blocks[slot];
    return NULL;
}

/* Linear probing without marks for the deleted: what comes behind moves up. */
static void erase(size_t hole) {
    for (size_t slot = (hole + 1) % SLOTS; blocks[slot].start; slot = (slot + 1) % SLOTS) {
        size_t home = slot_of(blocks[slot].start);
        if ((slot - home) % SLOTS >= (slot - hole) % SLOTS) {
            blocks[hole] = blocks[slot];
            hole = slot;
        }
    }
    blocks[hole].start = NULL;
}

static int is_whole(const struct block *one) {
    for (size_t index = 0; index < GUARD; index++) {
        if ((unsigned char)one->start[-(long)index - 1] != one->byte) return 0;
        if ((unsigned char)one->start[one->size + index] != one->byte) return 0;
    }
    return 1;
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (!real_memalign) real_memalign = dlsym(RTLD_NEXT, "memalign");
    size_t front = (GUARD + alignment - 1) / alignment * alignment;
    if (alignment < LEAST_ALIGNMENT || live > SLOTS / 2 || size > SIZE_MAX - front - GUARD) {
        *out = real_memalign(alignment, size);
        return *out ? 0 : 12;
    }
    char *base = real_memalign(alignment, front + size + GUARD);
    if (!base) return 12;
    char *start = base + front;
    pthread_mutex_lock(&lock);
    memset(start - GUARD, byte, GUARD);
    memset(start + size, byte, GUARD);
    size_t slot = slot_of(start);
    while (blocks[slot].start) slot = (slot + 1) % SLOTS;
    blocks[slot] = (struct block){start, size, front, byte};
    live++;
    pthread_mutex_unlock(&lock);
    *out = start;
    return 0;
}

static int give_back(void *pointer) {
    pthread_mutex_lock(&lock);
    struct block *one = find(pointer);
    if (!one) {
        pthread_mutex_unlock(&lock);
        return 0;
    }
    if (!is_whole(one)) changed++;
    char *base = one->start - one->front;
    erase((size_t)(one - blocks));
    live--;
    pthread_mutex_unlock(&lock);
    real_free(base);
    return 1;
}

void free(void *pointer) {
    if (!real_free) real_free = dlsym(RTLD_NEXT, "free");
    if (pointer && (uintptr_t)pointer % LEAST_ALIGNMENT == 0 && live && give_back(pointer)) return;
    real_free(pointer);
}

void *realloc(void *pointer, size_t size) {
    if (!real_realloc) real_realloc = dlsym(RTLD_NEXT, "realloc");
    pthread_mutex_lock(&lock);
    struct block *one = (uintptr_t)pointer % LEAST_ALIGNMENT == 0 && live ? find(pointer) : NULL;
    size_t old = one ? one->size : 0;
    pthread_mutex_unlock(&lock);
    if (!one) return real_realloc(pointer, size);
    void *fresh = malloc(size);
    if (fresh) {
        memcpy(fresh, pointer, old < size ? old : size);
        free(pointer);
    }
    return fresh;
}

/* Blocks to come are surrounded by `value`. */
void guard_set(int value) { byte = (unsigned char)value; }

/* How many blocks had their guards changed since the last time; the guards are mended. */
long guard_check(void) {
    pthread_mutex_lock(&lock);
    for (size_t slot = 0; slot < SLOTS; slot++) {
        struct block *one = &blocks[slot];
        if (one->start && !is_whole(one)) {
            changed++;
            memset(one->start - GUARD, one->byte, GUARD);
            memset(one->start + one->size, one->byte, GUARD);
        }
    }
    long found = changed;
    changed = 0;
    pthread_mutex_unlock(&lock);
    return found;
}
