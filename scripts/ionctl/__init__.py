"""ionctl: the tools that build ion's package, run it on this machine and operate it."""
