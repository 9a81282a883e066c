$NETC completion
$NETC completion powershell
$NETC completion bash zsh
$NETC syntax emacs
$NETC manual netc.8
$NETC manual netc.1 -D width=3
