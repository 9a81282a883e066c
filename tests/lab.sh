#!/bin/bash
# lab.sh: netc lab and netc sweep: rows that fail, are kept, change, and go on after a stop; and the
# reports.
. "$(dirname "$0")/lib.sh"
export NETC_CFLAGS=$quick

mkdir -p "$tmp/lab"
cat >"$tmp/lab/small.net" <<'END'
param width = 20
data mnist
input 28x28x1
dense width relu
dense 10 softmax
loss cross_entropy
optimizer adam
batch 100
epochs 2
END
sed 's/^epochs 2/epochs 3\nvalidation 10%/' "$tmp/lab/small.net" >"$tmp/lab/validated.net"
cat >"$tmp/lab/lab.json" <<'END'
{ "title": "A small <lab>",
  "about": "Rows & notes.",
  "sections": [ {"name": "1 width", "teaches": "Wider is better."}, {"name": "2 other"} ],
  "rows": [
    {"section": "1 width", "network": "30", "net": "small.net", "define": {"width": 30},
     "published": {"accuracy": 99.9, "loss": 0.01, "seconds": 5}, "why": "it is a joke"},
    {"section": "1 width", "network": "none", "net": "small.net", "define": {"width": 0}},
    {"section": "2 other", "network": "a, \"b\"|c", "net": "validated.net",
     "set": {"optimizer": "sgd lr 0.1"}, "note": "a note"}
  ] }
END

run_lab() { # STATUS [option...]: prints what it prints, without our numbers
    local wanted=$1 status
    shift
    "$NETC" lab "$tmp/lab/lab.json" --data "$sample" --out "$tmp/out" "$@" >"$tmp/text" 2>&1
    status=$?
    [ $status -eq "$wanted" ] || echo "exit status $status, not $wanted"
    sed -E 's/accuracy [0-9.]+%/accuracy N%/; s/loss [0-9.]+/loss N/; s/[0-9.]+ s\b/S s/' "$tmp/text" |
        grep -E '^\[|^netc' | sed "s|$tmp|TMP|g" >"$tmp/lines"
}

report() { # PYTHON: with `rows` of report.json, prints what is wrong
    "$python" - "$tmp/out" "$@" <<'END'
import csv, json, sys
folder, code = sys.argv[1:]
report = json.load(open(folder + "/report.json"))
rows = report["rows"]
table = list(csv.DictReader(open(folder + "/report.csv")))
markdown = open(folder + "/report.md").read()
html = open(folder + "/report.html").read()
def expect(what, wanted, found):
    if wanted != found:
        print(f"{what}: expected {wanted}, found {found}")
exec(code)
END
}

row_by_row() { # rows 1 and 3 alone: 2 is not run; then all: 1 and 3 are kept, 2 fails
    run_lab 0 --rows 1,3
    diff - "$tmp/lines" <<'END'
[1/3] 1 width: 30: accuracy N%, published 99.90%, loss N, S s
[3/3] 2 other: a, "b"|c: accuracy N%, loss N, S s
END
    report 'expect("states", ["finished", "not run", "finished"], [r["status"] for r in rows])'
    run_lab 1
    diff - "$tmp/lines" <<'END'
[1/3] 1 width: 30: accuracy N%, published 99.90%, loss N, S s, kept
[2/3] 1 width: none: failed
[3/3] 2 other: a, "b"|c: accuracy N%, loss N, S s, kept
netc: error: 1 of 3 rows failed [E933]
END
    grep -q "small.net:4:7: error: the number of outputs must be at least 1, not 0" "$tmp/text" ||
        echo 'expected the message of row 2'
}
check 'rows are chosen, kept and fail' row_by_row

reports() {
    report '
expect("states", ["finished", "failed", "finished"], [r["status"] for r in rows])
expect("parameters", [784 * 30 + 30 + 310, None, 784 * 20 + 20 + 210], [r.get("parameters") for r in rows])
expect("problem", "the number of outputs must be at least 1, not 0", rows[1]["problem"])
expect("published", {"accuracy": 99.9, "loss": 0.01, "seconds": 5}, rows[0]["published"])
expect("epochs", [2, 3], [len(r["history"]) for r in (rows[0], rows[2])])
run = json.load(open(folder + "/row-03/run.json"))
expect("accuracy", 100 * run["test"]["accuracy"], rows[2]["accuracy"])
expect("loss", run["test"]["loss"], rows[2]["loss"])
expect("validation", run["history"][2]["validation_loss"], rows[2]["history"][2]["validation_loss"])
expect("csv network", "a, \"b\"|c", table[2]["network"])
expect("csv overrides", "--set optimizer=sgd lr 0.1", table[2]["overrides"])
expect("csv accuracy", "%.2f" % rows[2]["accuracy"], table[2]["accuracy"])
for text in ("# A small <lab>\n", "\n## 1 width\n\nWider is better.\n", "| 2 | none | failed |",
             "- Row 2: the number of outputs must be at least 1, not 0.", "points less than published: it is a joke.",
             "a, \"b\"\\|c", "- Row 3: a note.", "2 of 3 rows are finished"):
    if text not in markdown:
        print("report.md lacks " + repr(text))
for text in ("<h1>A small &lt;lab&gt;</h1>", "Rows &amp; notes.", "a, &quot;b&quot;|c", "<figure id=\"row-3\">"):
    if text not in html:
        print("report.html lacks " + repr(text))
if "://" in html.replace("http://www.w3.org/2000/svg", "") or "<script" in html:
    print("report.html needs something from elsewhere")
expect("pictures in report.html", 3, html.count("<svg"))
import xml.etree.ElementTree as xml
xml.parse(folder + "/report.svg")'
}
check 'reports' reports

run_of() { # FOLDER SEED: where row 1 keeps its run with that seed
    [ "$2" = 1 ] && echo "$1/row-01" || echo "$1/row-01/training-$2"
}

within() { # published is what the least seed reached: all are kept, the note says so
    local least
    least=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["rows"][0]["least_accuracy"])' \
        "$tmp/out/report.json")
    sed "s/99\.9/$least/" "$tmp/lab/lab.json" >"$tmp/lab/within.json"
    quietly "$NETC" lab "$tmp/lab/within.json" --data "$sample" --out "$tmp/out" --rows 1 --seeds 4
    grep -q '^- Row 1: .*within the spread of 4 seeds' "$tmp/out/report.md" || cat "$tmp/out/report.md"
}

seeds() { # seed 1 is kept from the run without --seeds, and that run's reports come back
    cp -r "$tmp/out" "$tmp/one"
    local before after seed
    before=$(stat -c %y "$tmp/out/row-01/run.json")
    mkdir -p "$(run_of "$tmp/out" 3)/run.json" # so that seed 3 fails
    run_lab 1 --rows 1 --seeds 4
    sed -E 's/[0-9.]+ to [0-9.]+/L to M/' "$tmp/lines" | diff - <(cat <<'END'
[1/3] 1 width: 30: accuracy N% (L to M), published 99.90%, loss N, S s, 3 of 4 seeds
netc: error: 0 of 3 rows failed, and 1 seed of the others [E933]
END
    )
    rmdir "$(run_of "$tmp/out" 3)/run.json"
    report '
if "- Row 1: 1 of 4 seeds failed, 3: " not in markdown or "1 of 4 seeds failed, 3: " not in html:
    print("the reports do not say which seed failed")
expect("trainings", ["finished", "finished", "failed", "finished"], [t["status"] for t in rows[0]["trainings"]])'
    local program
    program=$(stat -c %y "$tmp/out/row-01/program")
    run_lab 0 --rows 1 --seeds 2
    grep -q ' 2 seeds, kept$' "$tmp/lines" || cat "$tmp/lines"
    [ "$program" = "$(stat -c %y "$tmp/out/row-01/program")" ] || echo 'built for what was kept'
    run_lab 0 --rows 1 --seeds 4
    grep -q ' 4 seeds$' "$tmp/lines" || cat "$tmp/lines"
    after=$(stat -c %y "$tmp/out/row-01/run.json")
    [ "$before" = "$after" ] || echo 'expected seed 1 kept'
    report "$means"
    within
    run_lab 1 # one seed each, as before
    for name in json csv md svg html; do
        same_bytes "$tmp/one/report.$name" "$tmp/out/report.$name"
    done
}
means='
runs = [json.load(open(f"{folder}/row-01{t}/run.json")) for t in ("", "/training-2", "/training-3", "/training-4")]
expect("seeds", [1, 2, 3, 4], [run["configuration"]["seed"] for run in runs])
expect("seeds of the report", [1, 2, 3, 4], [t["seed"] for t in rows[0]["trainings"]])
accuracies = [100 * run["test"]["accuracy"] for run in runs]
losses = [run["test"]["loss"] for run in runs]
history = [[epoch["seconds"] for epoch in run["history"]] for run in runs]
seconds = [sum(epochs) for epochs in history if None not in epochs] # seed 3 has lost its own
if len(set(losses)) != 4:
    print("expected four losses, found", losses)
def near(what, wanted, found):
    if abs(wanted - found) > 1e-9 * abs(wanted):
        print(f"{what}: expected {wanted}, found {found}")
near("accuracy", sum(accuracies) / 4, rows[0]["accuracy"])
near("loss", sum(losses) / 4, rows[0]["loss"])
near("seconds", sum(seconds) / len(seconds), rows[0]["seconds"])
near("least", min(accuracies), rows[0]["least_accuracy"])
near("most", max(accuracies), rows[0]["most_accuracy"])
expect("csv", ["4", "%.2f" % min(accuracies), "%.2f" % max(accuracies)],
       [table[0][key] for key in ("seeds", "least_accuracy", "most_accuracy")])
expect("a row that was not chosen", 1, sum(t["status"] == "finished" for t in rows[2]["trainings"]))
spread = "%.2f to %.2f" % (min(accuracies), max(accuracies))
for text in (f" % | {spread} | 99.90 % |", "the 5 trainings that finished took", "points less than published: it is a joke."):
    if text not in " ".join(markdown.split()):
        print("report.md lacks " + repr(text))
if f"<td>{spread}</td>" not in html or "The curves are of seed 1." not in html:
    print("report.html lacks the spread or the curves")
import xml.etree.ElementTree as xml
bars = xml.parse(folder + "/report.svg").findall(".//*[@class=\"forward\"]")
expect("bars of report.svg", 2 * 2, len(bars))
'
check 'means and spreads of seeds' seeds

changes() { # what a row is made of changes: it alone is trained anew
    sed -i 's/"width": 30/"width": 25/' "$tmp/lab/lab.json"
    run_lab 0 --rows 1,3
    grep '^\[1/3\].*kept' "$tmp/lines" && echo 'expected row 1 trained anew'
    grep -q '^\[3/3\].*kept' "$tmp/lines" || echo 'expected row 3 kept'
    sed -i 's/^batch 100/batch 50/' "$tmp/lab/validated.net"
    run_lab 0 --rows 3
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew after a change of its .net'
    echo 'x86-64-v4 f32 product 10 784 30 = blas' >"$tmp/measured"
    run_lab 0 --rows 3 --tuned "$tmp/measured"
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew by the products of a file'
    run_lab 0 --rows 3 --tuned "$tmp/measured"
    grep -q 'kept' "$tmp/lines" || echo 'expected row 3 kept with the same file'
    echo 'x86-64-v3 f32 product 10 784 30 = blas' >>"$tmp/measured"
    run_lab 0 --rows 3 --tuned "$tmp/measured"
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew after a change of the file'
    run_lab 0 --rows 3 --tuned "$tmp/measured" --product 'x86-64-v4 f32 product 10 784 30 = tile 9 2'
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew with a product of its own'
    cp -r "$sample" "$tmp/data"
    touch "$tmp/data/more"
    run_lab 0 --rows 3 --data "$tmp/data"
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew on other data'
    mkdir "$tmp/elsewhere" && echo 1 >"$tmp/elsewhere/file" && ln -s "$tmp/elsewhere" "$tmp/data/link"
    run_lab 0 --rows 3 --data "$tmp/data"
    echo 2 >"$tmp/elsewhere/file"
    run_lab 0 --rows 3 --data "$tmp/data"
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew where a linked folder has changed'
    rm "$tmp/out/row-03/run.json"
    run_lab 0 --rows 3 --data "$tmp/data"
    grep 'kept' "$tmp/lines" && echo 'expected row 3 trained anew without its run.json'
    mkdir "$tmp/no-data"
    run_lab 1 --rows 3 --data "$tmp/no-data"
    # the row's next training would go on with them
    [ ! -e "$tmp/out/row-03/weights.safetensors" ] || echo 'weights of another training are still there'
}
check 'what changes is trained anew' changes

long_names() { # a folder's name has 255 bytes at most
    local zeros row
    zeros=$(printf '0%.0s' $(seq 260))
    "$NETC" sweep "$tmp/lab/small.net" --set "optimizer=sgd lr 0.1$zeros,sgd lr 0.1${zeros}1" --data "$sample" \
        --out "$tmp/long-names" >"$tmp/long-names.log" 2>&1 || cat "$tmp/long-names.log"
    same 'folders of two rows' 2 "$(find "$tmp/long-names" -name 'optimizer*' -type d | wc -l)"
}
check 'long names' long_names

stopped() { # with the second seed of its second row; the same bytes as without
    sed 's/^epochs 2/epochs 40/' "$tmp/lab/small.net" >"$tmp/lab/long.net"
    local out=$tmp/stopped status first
    local sweep=("$NETC" sweep "$tmp/lab/long.net" -D width=5,40 --seeds 2 --data "$sample" --threads 1)
    "${sweep[@]}" --out "$out" >"$tmp/stopped.log" 2>&1 &
    local child=$!
    until [ -f "$out/width=40/training-2/weights.safetensors" ] || ! kill -0 $child 2>"$tmp/kill"; do
        sleep 0.02
    done
    kill -TERM $child
    wait $child
    status=$?
    [ $status -eq 143 ] || { echo "expected status 143, found $status"; cat "$tmp/stopped.log"; }
    grep -q 'stopped with 1 of 2 rows finished \[E934\]' "$tmp/stopped.log" || cat "$tmp/stopped.log"
    first=$(stat -c %y "$out/width=40/run.json")
    "${sweep[@]}" --out "$out" >"$tmp/stopped.log" 2>&1 || cat "$tmp/stopped.log"
    grep -q '^\[1/2\] width=5: .* 2 seeds, kept$' "$tmp/stopped.log" || echo 'expected row 1 kept'
    grep -q '^\[2/2\] width=40: .* 2 seeds$' "$tmp/stopped.log" || echo 'expected row 2 finished'
    [ "$first" = "$(stat -c %y "$out/width=40/run.json")" ] || echo 'expected seed 1 of row 2 kept'
    quietly "$out/width=40/program" train --seed 2 --data "$sample" --threads 1 --out "$tmp/whole"
    same_bytes "$out/width=40/training-2/weights.safetensors" "$tmp/whole/weights.safetensors"
    ! cmp -s "$out/width=40/weights.safetensors" "$tmp/whole/weights.safetensors" || echo 'two seeds, the same weights'
}
check 'a stopped sweep goes on' stopped

stop_compiling() ( # WHO SIGNAL STATUS: netc alone or its whole group, and what it ends with
    local child status=0
    rm -rf "$tmp/unbuilt" "$tmp/compiling"
    # in a process group of its own, as a terminal's command is; nobody ignores its interrupts
    CC="$tmp/slow-cc" setsid env --default-signal=INT "$NETC" sweep "$tmp/lab/small.net" -D width=3,4 \
        --data "$sample" --out "$tmp/unbuilt" >"$tmp/unbuilt.log" 2>&1 &
    child=$!
    wait_for "$tmp/compiling"
    [ "$1" = alone ] && kill -s "$2" $child || kill -s "$2" -- -$child
    wait $child || status=$?
    same "status of SIG$2" "$3" $status
    grep -q '^\[1/2\] width=3: stopped$' "$tmp/unbuilt.log" &&
        grep -q 'stopped with 0 of 2 rows finished \[E934\]' "$tmp/unbuilt.log" || cat "$tmp/unbuilt.log"
    [ ! -e "$tmp/unbuilt/width=3/run.json" ] || echo "SIG$2: it was trained"
)

compiling() { # a row that is compiled is stopped as one that is trained
    printf '#!/bin/sh\ntouch "%s"\nsleep 1\nexec cc "$@"\n' "$tmp/compiling" >"$tmp/slow-cc"
    chmod +x "$tmp/slow-cc"
    stop_compiling alone TERM 143
    stop_compiling group INT 130
}
check 'a sweep stops while it compiles' compiling

broken() { # programs that a C compiler of ours makes, and how each ends; the network warns
    sed 's/^dense width/pool 3\n&/' "$tmp/lab/small.net" >"$tmp/lab/warns.net"
    cat >"$tmp/broken-cc" <<'END'
#!/bin/sh
while [ "$1" != -o ]; do shift; done
cat >"$2" <<'PROGRAM'
#!/bin/sh
case $0 in
    *width=3/*) kill -s KILL $$ ;;
    *width=4/*) kill -s TERM $$ ;;
    *width=5/*) echo 'program: error: no data' >&2; exit 1 ;;
    *width=6/*) exit 1 ;;
esac
PROGRAM
chmod +x "$2"
END
    chmod +x "$tmp/broken-cc"
    local status=0
    CC=$tmp/broken-cc "$NETC" sweep "$tmp/lab/warns.net" -D width=3,4,5,6,7 --data "$sample" \
        --out "$tmp/broken" >"$tmp/broken.log" 2>&1 || status=$?
    same status 1 $status
    grep -E '^\[|error:' "$tmp/broken.log" | diff - <(cat <<'END'
[1/5] width=3: failed
netc: error: row 1 failed: it was ended by signal 9 [E933]
[2/5] width=4: stopped
[3/5] width=5: failed
program: error: no data
[4/5] width=6: failed
netc: error: row 4 failed: it ended without a word [E933]
[5/5] width=7: failed
netc: error: row 5 failed: its run.json cannot be read [E933]
netc: error: 1 of 5 rows were stopped [E934]
netc: error: 4 of 5 rows failed [E933]
END
    )
    "$python" - "$tmp/broken/report.json" <<'END'
import json, sys
found = [(row["status"], row.get("problem")) for row in json.load(open(sys.argv[1]))["rows"]]
wanted = [("failed", "it was ended by signal 9"), ("stopped", None), ("failed", "no data"),
          ("failed", "it ended without a word"), ("failed", "its run.json cannot be read")]
if found != wanted:
    print(f"expected {wanted}, found {found}")
END
}
check 'trainings that are killed, stopped or fail' broken

not_finite() ( # trained well, and tested with numbers that are too large, until these are others
    local folder=$tmp/not-finite status=0 run
    mkdir "$folder"
    printf '%s\n' 'a,b,kind' 1,0,ash 0,1,elm 1,0.1,ash 0.1,1,elm >"$folder/trees.csv"
    printf '%s\n' 'a,b,kind' 3e38,3e38,ash 3e38,-3e38,elm >"$folder/test.csv"
    printf '%s\n' 'param width = 3' 'data csv "trees.csv"' 'input 2' 'dense width relu' 'dense 2 softmax' \
        'loss cross_entropy' 'test "test.csv"' 'batch 2' 'epochs 2' >"$folder/trees.net"
    cd "$folder" || return
    for run in 1 2; do
        status=0
        "$NETC" sweep trees.net -D width=4,5 --out runs >runs.log 2>&1 || status=$?
        same "status of run $run" 1 $status
        grep -E '^\[|error:' runs.log | sed 's/finite: .*/finite/' | diff - <(cat <<'END'
[1/2] width=4: failed
program: error: the loss of the test data is not finite
[2/2] width=5: failed
program: error: the loss of the test data is not finite
netc: error: 2 of 2 rows failed [E933]
END
        )
    done
    "$python" - runs/report.json <<'END'
import json, sys
row = json.load(open(sys.argv[1]))["rows"][0]
if (row["status"], row["problem"][:43]) != ("failed", "the loss of the test data is not finite: ex"):
    print(row)
END
    cp trees.csv test.csv
    quietly "$NETC" sweep trees.net -D width=4,5 --out runs
)
check 'a test that is not finite' not_finite

product() {
    quietly "$NETC" sweep "$tmp/lab/small.net" -D width=5,6 --set seed=1,2 --set epochs=1 --data "$sample" \
        --out "$tmp/product"
    "$python" - "$tmp/product/report.json" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
wanted = [f"width={w} seed={s}" for w in (5, 6) for s in (1, 2)]
if [row["network"] for row in rows] != wanted:
    print(f"expected {wanted}, found {[row['network'] for row in rows]}")
if len({row["loss"] for row in rows}) != 4:
    print(f"expected four losses, found {[row['loss'] for row in rows]}")
if any(len(row["history"]) != 1 for row in rows):
    print("expected one epoch each")
END
}
check 'a sweep over a product' product

one_at_a_time() {
    local folder=$tmp/locked
    mkdir "$folder"
    (flock 9 && "$NETC" sweep "$tmp/lab/small.net" -D width=5,6 --data "$sample" --out "$folder" 9<&-) \
        9<"$folder" >"$tmp/locked.log" 2>&1
    has_line -F "netc: error: another lab or sweep writes to '$folder' [E937]" <"$tmp/locked.log" ||
        cat "$tmp/locked.log"
}
check 'one at a time in a folder' one_at_a_time
closed_output() { # in whose place the programs' pipe comes to lie
    "$NETC" sweep "$tmp/lab/small.net" -D width=5,6 --set epochs=1 --data "$sample" --out "$tmp/closed" 2>"$tmp/closed.err" >&-
    has_line -F "netc: error: cannot write 'standard output': Bad file descriptor [E910]" <"$tmp/closed.err" ||
        cat "$tmp/closed.err"
    has_line -E '.*"status":\s*"finished".*' <"$tmp/closed/width=6/run.json" || echo 'a row did not finish'
}
check 'without a standard output' closed_output

dotted_name() {
    mkdir "$tmp/dots" && cp "$tmp/lab/small.net" "$tmp/dots/v1.0.net" || return
    (cd "$tmp/dots" && quietly "$NETC" sweep v1.0.net -D width=5,6 --set epochs=1 --data "$sample")
    same folders runs/sweep-v1.0/report.json "$(cd "$tmp/dots" && echo runs/*/report.json)"
}
check 'a name with a dot' dotted_name

expressions() { # each in a folder of its own, and ordinary names as they are
    quietly "$NETC" sweep "$tmp/lab/small.net" -D 'width=8/2,8*2' --set epochs=1 \
        --set 'optimizer=sgd lr 0.1,adam' --data "$sample" --out "$tmp/expressions"
    (cd "$tmp/expressions" && printf '%s\n' */weights.safetensors) | diff - <(cat <<'END'
width=8%2A2_optimizer=adam/weights.safetensors
width=8%2A2_optimizer=sgd_lr_0.1/weights.safetensors
width=8%2F2_optimizer=adam/weights.safetensors
width=8%2F2_optimizer=sgd_lr_0.1/weights.safetensors
END
    )
}
check 'a sweep over expressions' expressions
sweep_files() { # KEPT WHY [option...]: so many rows of two are kept
    local wanted=$1 why=$2
    shift 2
    "$NETC" sweep files.net -D width=3,4 --out runs/files "$@" >files.log 2>&1 || cat files.log
    same "$why: rows kept" "$wanted" "$(grep -c ', kept$' files.log)"
}

files() ( # what the network's files hold decides, and nothing else in their folder, as runs/ is
    local i
    mkdir "$tmp/files" && cd "$tmp/files" || return
    for i in {1..60}; do echo "$((i % 7)),$((i % 3)),$((i % 2))"; done >points.csv
    head -n 20 points.csv >check.csv
    printf '%s\n' 'param width = 3' 'data csv "points.csv"' 'input 2' 'dense width relu' 'dense 2 softmax' \
        'loss cross_entropy' 'epochs 2' 'test 25%' 'validation "check.csv"' >files.net
    sweep_files 0 'at first'
    sweep_files 2 'again'
    sed -i '2s/.*/9,9,1/' check.csv
    sweep_files 0 'a changed validation'
    echo 3,1,1 >>points.csv
    sweep_files 0 'a longer file'
    sweep_files 2 'its folder named' --data .
    mkdir elsewhere && cp ./*.csv elsewhere
    echo 3,1,1 >>elsewhere/points.csv
    sweep_files 0 'another folder' --data elsewhere
    mkdir -p pictures/{a,b}
    for i in {1..4}; do
        printf 'P5 2 2 255\n%s' "$i..a" >"pictures/a/$i.pgm"
        printf 'P5 2 2 255\n%s' "$i..b" >"pictures/b/$i.pgm"
    done
    sed -i 's/^data.*/data folder "pictures"/; s/^input.*/input 2x2x1/; /^validation/d' files.net
    sweep_files 0 'a folder of pictures'
    sweep_files 2 'the folder again'
    printf 'P5 2 2 255\n%s' 9..b >pictures/b/1.pgm
    sweep_files 0 'a changed picture'
)
check 'data in files' files
finish
