# a size is a plain number and its unit
for size in 1GB 1.5MB 1kB infGB nanGB 0x10GB -1GB 1e3MB .GB GB 5; do
    $NETC check models/mlp.net --max-mem $size 2>&1 | head -n 1
done
