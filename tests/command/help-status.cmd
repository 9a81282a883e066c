# The exit statuses of diff are its own; fmt --check has no mistake to end with 1.
$NETC check --help | sed -n '/exit status/,$p'
$NETC diff --help | sed -n '/exit status/,$p'
$NETC fmt --help | sed -n '/exit status/,$p'
$NETC --help | sed -n '/exit status/,$p'
