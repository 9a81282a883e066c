#!/bin/bash
# allocation.sh: the trained program allocates nothing between its first and its last step, and asks
# the kernel for nothing but to wait for another thread and to wake one.
#
# The program is the real one; tests/allocation/count.c watches it from the inside and says how.
. "$(dirname "$0")/lib.sh"
counter=$tmp/count.o
wraps=-Wl,--wrap=display_step,--wrap=order_shuffle,--wrap=tensors_fingerprint
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -fno-builtin -c -o "$counter" tests/allocation/count.c || exit
export NETC_LDFLAGS="$counter $wraps"

watched() { # BINARY MODE [option...]: its counts, or the status it died with
    local binary=$1 mode=$2 status
    shift 2
    ALLOCATION=$mode "$binary" train --data "$sample" --out "$binary-run" --epochs 3 "$@" \
        2>"$binary.err" >"$binary.log"
    status=$?
    if [ $status -eq 0 ]; then
        cat "$binary.err"
    else
        echo "status $status"
    fi
}

allocates_nothing() { # NAME BATCHES-PER-EPOCH
    local binary=$tmp/$1 threads
    build "$tmp/$1.net" "$binary" || return
    for threads in 1 2 4; do
        # of all steps but the first two
        same "$threads threads" "count: 0 allocations and 0 frees in $((3 * $2 - 2)) steps of 3 epochs" \
            "$(watched "$binary" calls --threads $threads)"
        same "$threads threads, quiet" \
            "count: 0 allocations and 0 frees in $((3 * $2 - 2)) steps of 3 epochs" \
            "$(watched "$binary" calls --threads $threads --quiet)"
        same "$threads threads, by the kernel" \
            "count: 0 allocations and 0 frees in $(($2 - 2)) steps of 1 epochs" \
            "$(watched "$binary" kernel --threads $threads)"
    done
}

cat >"$tmp/mlp.net" <<END
input 28x28x1
dense 200 relu l2 0.001
dense 10 softmax
loss cross_entropy
optimizer adam
batch 50
END
cat >"$tmp/cnn.net" <<END
input 28x28x1
conv 8 3x3
batchnorm
relu
pool 2
dropout 20%
conv 8 5x4 relu pad same stride 2
avgpool 2
dense 30 tanh
dropout 20%
dense 10 sigmoid
loss binary_cross_entropy
optimizer rmsprop momentum 0.5
batch 64
validation 20%
augment shift 2 px rotate 10 deg zoom 10% flip horizontal elastic 1 px cutout 5 px noise 0.05
END
start 'mlp' allocates_nothing mlp 30
start 'cnn' allocates_nothing cnn 19
wait

# --- the same program with one allocation in each step must be found out
finds() { # NAME STATEMENT PATTERN-OF-CALLS PATTERN-OF-KERNEL
    local binary=$tmp/$1 found
    "$NETC" emit "$tmp/mlp.net" -o "$binary.c" || return
    sed -i -e '/^static void train_step(/,/^{/ s|^{|{ '"$2"'|' \
        -e '1i #include <stdlib.h>\n#include <sys/mman.h>\n#include <sys/syscall.h>\n#include <unistd.h>' "$binary.c"
    compile "$binary.c" "$binary" || return
    found=$(watched "$binary" calls --threads 2)
    [[ $found =~ $3 ]] || echo "expected counts like '$3', found '$found'"
    found=$(watched "$binary" kernel --threads 2)
    [[ $found =~ $4 ]] || echo "expected of the kernel '$4', found '$found'"
}
# 28 steps of 3 epochs, or of one; a thread may be one step ahead where the counting begins
start 'an inserted malloc is found' finds inserted-malloc \
    'free((void *)(volatile uintptr_t){(uintptr_t)malloc(64)});' \
    '^count: 1[678]. allocations' '^count: 5. allocations'
start 'an inserted malloc of one thread is found' finds inserted-in-thread \
    'if (nn_thread() == 1) free((void *)(volatile uintptr_t){(uintptr_t)malloc(64)});' \
    '^count: [89]. allocations' '^count: [23]. allocations'
start 'an inserted system call is found' finds inserted-call \
    'syscall(SYS_munmap, syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE \| MAP_ANONYMOUS, -1, 0), 4096);' \
    '^count: 0 allocations' '^count: system call [0-9]+ in a step$'
start 'an inserted write is found' finds inserted-write \
    'if (nn_thread() == 0) syscall(SYS_write, 1, "", 0);' \
    '^count: 0 allocations' '^count: system call [0-9]+ in a step$'

finish
