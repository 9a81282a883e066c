# The exit statuses of diff are its own.
$NETC check --help | sed -n '/exit status/,$p'
$NETC diff --help | sed -n '/exit status/,$p'
$NETC --help | sed -n '/exit status/,$p'
