# netc: make, make test, make mnist, make install; `make help` lists the rest.

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
DESTDIR ?=
B := build

WARN := -Wall -Wextra -Wshadow -Wconversion
NETC_FLAGS := -std=gnu11 $(WARN)
ifdef SAN
B := build/san
SAN_FLAGS := -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all
endif
ALL_CFLAGS = $(NETC_FLAGS) $(CFLAGS) $(SAN_FLAGS) -MMD -MP

COMPILER := $(wildcard compiler/*.c)
COMPILER_OBJ := $(COMPILER:compiler/%.c=$(B)/compiler/%.o) $(B)/grammar/net.tab.o $(B)/grammar/net.yy.o \
    $(B)/manual_lines.o
RUNTIME := $(wildcard runtime/*.c)
RUNTIME_OBJ := $(RUNTIME:runtime/%.c=$(B)/runtime/%.o)
RUNTIME_H := nn.h nn_math.h nn_random.h nn_lanes.h nn_weave.h nn_augment.h
MODELS := $(wildcard models/*.net models/lab/*.net)

all: $(B)/netc $(B)/lib/netc/libnn.a $(B)/share/made

$(B)/netc: $(B)/compiler/main.o $(B)/compiler/passes.a
	$(CC) $(SAN_FLAGS) -o $@ $^ -lcjson -lm

$(B)/compiler/passes.a: $(filter-out %/main.o,$(COMPILER_OBJ))
	rm -f $@
	$(AR) rcs $@ $^

# flex and bison write C that our warnings are too strict for
$(B)/grammar/net.tab.c $(B)/grammar/net.tab.h &: grammar/net.y
	@mkdir -p $(@D)
	bison -Wall -Werror -d -o $(B)/grammar/net.tab.c $<

$(B)/grammar/net.yy.c: grammar/net.l $(B)/grammar/net.tab.h
	@mkdir -p $(@D)
	flex -o $@ $<

$(B)/grammar/%.o: $(B)/grammar/%.c
	$(CC) -std=gnu11 $(CFLAGS) $(SAN_FLAGS) -Icompiler -I$(B)/grammar -MMD -MP -c -o $@ $<

$(B)/compiler/%.o: compiler/%.c | $(B)/grammar/net.tab.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icompiler -I$(B)/grammar -c -o $@ $<

# the manual, as `netc explain` shows it
$(B)/manual_lines.c: docs/language.md
	@mkdir -p $(@D)
	{ echo 'extern const char *const manual_lines[];'; echo 'const char *const manual_lines[] = {'; \
	    sed 's/["\\]/\\&/g; s/.*/    "&",/' $<; echo '    0};'; } >$@

$(B)/manual_lines.o: $(B)/manual_lines.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# what shells, man and editors know of netc, laid out as it is installed
$(B)/share/made: $(B)/netc $(wildcard editors/*/* editors/*/*/*)
	@mkdir -p $(addprefix $(@D)/,bash-completion/completions zsh/site-functions \
	    fish/vendor_completions.d man/man1 man/man5 vim/vimfiles/syntax netc/vscode/syntaxes)
	$(B)/netc completion bash >$(@D)/bash-completion/completions/netc
	$(B)/netc completion zsh >$(@D)/zsh/site-functions/_netc
	$(B)/netc completion fish >$(@D)/fish/vendor_completions.d/netc.fish
	$(B)/netc manual netc.1 >$(@D)/man/man1/netc.1
	$(B)/netc manual netc.5 >$(@D)/man/man5/netc.5
	$(B)/netc syntax vim >$(@D)/vim/vimfiles/syntax/netc.vim
	$(B)/netc syntax textmate >$(@D)/netc/vscode/syntaxes/netc.tmLanguage.json
	cp -R editors/vim/* $(@D)/vim/vimfiles
	cp -R editors/vscode/* $(@D)/netc/vscode
	@touch $@

# the runtime of every program that netc builds; installed beside its sources
$(B)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fopenmp -c -o $@ $<

$(B)/lib/netc/libnn.a: $(RUNTIME_OBJ) $(RUNTIME_H:%=runtime/%)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $(RUNTIME_OBJ)
	cp $(RUNTIME_H:%=runtime/%) $(@D)

# --- for users --------------------------------------------------------------------------------------

# from nothing to a trained network: tools, data, compiler, training
mnist:
	tools/setup
	$(MAKE) all
	tools/fetch-data mnist
	$(B)/netc train models/mnist.net -o $(B)/mnist

# the laboratory: every experiment of models/lab with SEEDS seeds each, and docs/lab.md of what came
# of them
SEEDS ?= 5
lab: all
	tools/setup
	tools/fetch-data mnist
	$(B)/netc lab models/lab/lab.json --seeds $(SEEDS) --out runs/lab
	sed 's/(report\.svg)/(lab.svg)/' runs/lab/report.md >docs/lab.md
	cp runs/lab/report.svg docs/lab.svg

# quoted, since a user's folders may have blanks in their names
TO = $(DESTDIR)$(PREFIX)
install: all
	install -d "$(TO)/bin" "$(TO)/lib/netc" "$(TO)/share/netc/runtime" "$(TO)/share/netc/models/lab"
	install -m 755 $(B)/netc "$(TO)/bin"
	install -m 644 $(B)/lib/netc/libnn.a $(RUNTIME_H:%=runtime/%) "$(TO)/lib/netc"
	install -m 644 runtime/*.[ch] "$(TO)/share/netc/runtime"
	install -m 644 models/*.net "$(TO)/share/netc/models"
	install -m 644 models/lab/*.net models/lab/lab.json "$(TO)/share/netc/models/lab"
	install -m 755 tools/fetch-data "$(TO)/share/netc"
	share=$$(cd "$(TO)/share" && pwd) && cd $(B)/share && find . -type f ! -name made \
	    -exec install -D -m 644 {} "$$share"/{} \;

clean:
	rm -rf build

# --- for developers ---------------------------------------------------------------------------------

# as many jobs as there are processors, where the user has not said how many
SIDE_BY_SIDE = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

# set-up, then every test; ends with one line `N passed, N failed`
test:
	tools/setup test
	$(MAKE) $(SIDE_BY_SIDE) all tests
	tests/all.sh

# whole trainings on all of MNIST and Fashion-MNIST, and a sign flipped in every backward function:
# an hour or two
test-long:
	tools/setup test
	tools/setup data
	$(MAKE) $(SIDE_BY_SIDE) all tests
	tools/fetch-data mnist
	tools/fetch-data fashion
	tests/long.sh

UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
tests: $(UNIT) all

$(B)/tests/unit/%: tests/unit/%.c tests/unit/small_model.c $(B)/lib/netc/libnn.a $(wildcard tests/unit/*.h)
	@mkdir -p $(@D)
	$(CC) $(NETC_FLAGS) $(CFLAGS) $(SAN_FLAGS) -fopenmp -o $@ $< tests/unit/small_model.c \
	    $(B)/lib/netc/libnn.a -lcmocka -lcjson -lpng -lz -lm

# these test the compiler
COMPILER_UNIT := $(addprefix $(B)/tests/unit/,test_break test_fuse test_memory test_myers \
    test_text)
$(COMPILER_UNIT): $(B)/tests/unit/%: tests/unit/%.c $(B)/compiler/passes.a
	@mkdir -p $(@D)
	$(CC) $(NETC_FLAGS) $(CFLAGS) $(SAN_FLAGS) -Icompiler -o $@ $^ -lcmocka -lcjson -lm

# the C of every model, committed: its diff is the review of a change to the compiler; what the
# documentation quotes of it, and how many lines of it a change of a network changes
gen: all
	@mkdir -p generated/lab
	@for model in $(MODELS:models/%.net=%); do \
	    $(B)/netc emit models/$$model.net --target x86-64-v4 -o generated/$$model.c || exit 1; done
	NETC=$(B)/netc tests/stability.py write # counts in docs/generated-code.md
	tests/excerpts.py README.md docs/generated-code.md

# rewrites the expected outputs; their diff is the review
bless: all gen
	tests/run.sh --bless

# whole training steps beside Keras, PyTorch and JAX, of the newest versions that pip has; writes
# docs/benchmarks.md in half an hour to an hour. bench/compare.py --help: parts of it done again
BENCH_PEERS := torch jax keras tensorflow-cpu
bench: all build/bench-venv
	tools/fetch-data mnist
	bench/compare.py

# its first row, in less than two minutes
bench-quick: all build/bench-venv
	tools/fetch-data mnist
	bench/compare.py --quick

# layers one by one, as a table
bench-layers: all build/bench-venv
	tools/fetch-data mnist
	build/bench-venv/bin/python bench/layers.py

# whole networks of the usual kinds, as a table
bench-networks: all build/bench-venv
	build/bench-venv/bin/python bench/networks.py

# what pip lacks is Debian's where that has it, or left out
build/bench-venv:
	python3 -m venv --system-site-packages $@
	for peer in $(BENCH_PEERS); do $@/bin/pip install -q $$peer || echo "no $$peer"; done

FUZZ_SECONDS ?= 60
fuzz: $(B)/netc $(B)/manual_lines.c
	@mkdir -p $(B)/fuzz
	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -w -Icompiler -I$(B)/grammar \
	    -o $(B)/fuzz/parse tests/fuzz/parse.c $(filter-out compiler/main.c,$(COMPILER)) \
	    $(B)/grammar/net.tab.c $(B)/grammar/net.yy.c $(B)/manual_lines.c -lcjson -lm
	$(B)/fuzz/parse -max_len=4096 -timeout=1 -close_fd_mask=2 -max_total_time=$(FUZZ_SECONDS)

# lines that are too long, and warnings of the other compiler
columns:
	@awk 'length($$0) > 100 { print FILENAME ":" FNR ": " length($$0) " columns"; bad = 1 } \
	    END { exit bad }' compiler/*.[ch] runtime/*.[ch] grammar/net.[ly] tests/unit/*.[ch] \
	    tests/fuzz/*.c
lint: columns $(B)/grammar/net.tab.h
	@for file in compiler/*.c tests/fuzz/*.c; do clang -fsyntax-only $(NETC_FLAGS) -Werror -Icompiler \
	    -I$(B)/grammar $$file || exit 1; done

wc:
	@wc -l grammar/* compiler/* runtime/*

help:
	@echo 'make            the compiler and its runtime, in build/'
	@echo 'make mnist      install what is missing, fetch MNIST, train models/mnist.net'
	@echo 'make test       install what is missing, then every test'
	@echo 'make test-long  whole trainings on MNIST'
	@echo 'make lab        the experiments of models/lab, SEEDS=5 times each; writes docs/lab.md'
	@echo 'make install    PREFIX=/usr/local DESTDIR='
	@echo 'make gen        generated/, the C of every model'
	@echo 'make bless      rewrite the expected outputs of the tests'
	@echo 'make bench      training steps beside Keras, PyTorch and JAX: docs/benchmarks.md'
	@echo 'make bench-quick  its first row, in less than two minutes'
	@echo 'make bench-layers  layers one by one beside PyTorch'
	@echo 'make bench-networks  ResNet, MobileNet and others beside PyTorch'
	@echo 'make fuzz       the parser under libFuzzer, FUZZ_SECONDS=60'
	@echo 'make lint wc clean;  SAN=1 builds with ASan and UBSan in build/san'

.PHONY: all mnist lab install clean test test-long tests gen bless bench bench-quick bench-layers bench-networks fuzz \
    lint columns wc help
-include $(wildcard $(B)/*/*.d)
